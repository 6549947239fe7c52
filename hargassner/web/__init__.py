"""The page that shows the bridge and the boiler, and the same facts for programs."""
