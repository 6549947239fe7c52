"""``twistd -y hargassner.tac``: the bridge, configured by the nearest file.

The file is ``$HARGASSNER_CONFIG``, else ``./hargassner.toml``, else
``/etc/hargassner/hargassner.toml``.
"""

from twisted.application.service import Application

from hargassner.tap import Options, makeService

options = Options()
options.parseOptions([])
application = Application("hargassner")
makeService(options).setServiceParent(application)
