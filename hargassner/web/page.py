"""The page itself, in one language, before its script brings it to life."""

import json
from importlib.resources import files

from twisted.web.iweb import IRequest
from twisted.web.template import Element, Tag, XMLString, flattenString, renderer

from hargassner import __version__
from hargassner.web.texts import page_texts, text


class PageElement(Element):
    """The page's skeleton, with its texts filled in."""

    loader = XMLString(files(__package__).joinpath("static", "page.xml").read_bytes())

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    @renderer
    def page(self, _request: IRequest | None, tag: Tag) -> Tag:
        """The whole: its language, and what the script needs."""
        texts = json.dumps(page_texts(self._language), ensure_ascii=False)
        return tag(lang=self._language, **{"data-texts": texts, "data-version": __version__})

    @renderer
    def text(self, _request: IRequest | None, tag: Tag) -> Tag:
        """The text whose key stands in the tag."""
        key = "".join(each for each in tag.children if isinstance(each, str)).strip()
        return tag.clear()(text(key, self._language))


def page(language: str) -> bytes:
    """The page as HTML."""
    flat: list[bytes] = []
    flattened = flattenString(None, PageElement(language))
    flattened.addCallback(flat.append)
    # A skeleton has nothing to wait for; whatever is wrong with it is raised here.
    flattened.addErrback(lambda failure: failure.raiseException())
    return b"<!doctype html>\n" + flat[0]
