"""What a device that installs the page needs to know."""

import json

from hargassner.web.texts import text


def manifest(language: str) -> bytes:
    """What a device that installs the page needs to know."""
    icons: list[dict[str, str]] = [
        {"src": "icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
        {"src": "icon-192.png", "sizes": "192x192", "type": "image/png"},
        {"src": "icon-512.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
    ]
    told = {
        "name": text("page.title", language),
        "short_name": text("page.boiler", language),
        "lang": language,
        "start_url": ".",
        "scope": ".",
        "display": "standalone",
        "background_color": "#f6f5f2",
        "theme_color": "#c2410c",
        "icons": icons,
    }
    return json.dumps(told, ensure_ascii=False).encode()
