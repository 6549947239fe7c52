"""What ``hargassner watch`` says, in its languages."""

from collections.abc import Mapping

from hargassner.catalogue import Text

TEXTS: Mapping[str, Text] = {
    "searching": Text(
        "Asking for the boiler in your network …",
        "Der Kessel wird im Netz gesucht …",
        "Recherche de la chaudière dans le réseau…",
    ),
    "silent": Text(
        "Nobody answers yet ({places}); it is asked again every minute. Is the app or the gateway "
        "switched on at the boiler's panel? Its address is shown there too: "
        "hargassner watch ADDRESS",
        "Noch antwortet niemand ({places}); es wird jede Minute wieder gefragt. Ist am Kessel die "
        "App oder das Gateway eingeschaltet? Dort steht auch seine Adresse: "
        "hargassner watch ADRESSE",
        "Personne ne répond encore ({places}) ; nouvelle question chaque minute. L’application ou "
        "la passerelle est-elle activée sur la chaudière ? Son adresse y figure aussi : "
        "hargassner watch ADRESSE",
    ),
    "page": Text("Page: {url}", "Seite: {url}", "Page : {url}"),
    "taken": Text(
        "Page: {url} (port {port} is taken)",
        "Seite: {url} (Port {port} ist belegt)",
        "Page : {url} (le port {port} est occupé)",
    ),
    "next": Text(
        "To keep it running, with Home Assistant: hargassner setup. Ctrl-C ends this.",
        "Auf Dauer, mit Home Assistant: hargassner setup. Strg-C beendet.",
        "Pour l’installer durablement, avec Home Assistant : hargassner setup. Ctrl-C termine.",
    ),
    "more": Text(
        "… {count} more values on the page",
        "… {count} weitere Werte auf der Seite",
        "… {count} autres valeurs sur la page",
    ),
}


def say(key: str, language: str, **fields: object) -> str:
    """The text with this key in ``language``, with its ``{…}`` filled in."""
    return TEXTS[key].to(language).format(**fields)
