"""``hargassner setup``: from an installed package to a running bridge.

``machine`` looks at the machine, ``questions`` asks what it cannot know, ``files`` has what is
written, ``plan`` says which files and commands it takes, and ``steps`` shows and takes them.
"""
