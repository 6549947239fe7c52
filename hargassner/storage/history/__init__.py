"""What is kept of the boiler's values for years, in an SQLite file.

``looks`` and ``samples`` make minutes of what the model shows, ``facts`` tells what a day came to,
``rollup`` makes quarters of an hour and days of minutes: none of them knows a disk. ``schema``,
``writer`` and ``reader`` are the file; ``service`` keeps it. SQLite is imported by ``store`` alone,
so that who keeps no history does not load it.
"""
