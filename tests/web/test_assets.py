"""The page's files: what they weigh, how they are compressed and kept."""

import gzip
import json
from pathlib import Path

import hargassner.web
from hargassner.web.texts import LANGUAGES
from tests.web.cases import PageCase

STATIC = Path(hargassner.web.__file__).parent / "static"
KINDS = (".css", ".js", ".svg", ".png")
FILES = sorted(each.name for each in STATIC.iterdir() if each.suffix in KINDS)
TEXTS = [each for each in FILES if not each.endswith(".png")]
LARGEST = 150_000
"""Bytes of the whole page, compressed."""


class AssetTests(PageCase):
    def test_every_file_is_there_and_the_licence_of_the_library_is_with_it(self) -> None:
        self.assertGreater(len(FILES), 15)
        for name in FILES:
            answer = self.get(f"/{name}")
            self.assertEqual(200, answer.code, name)
            self.assertEqual(answer.body, (STATIC / name).read_bytes(), name)
        self.assertIn("MIT License", (STATIC / "uplot.LICENSE").read_text())

    def test_the_whole_page_is_small(self) -> None:
        names = ["", "manifest.webmanifest", *FILES]
        sizes = {each: len(self.get(f"/{each}", accept_encoding="gzip").body) for each in names}
        self.assertLess(sum(sizes.values()), LARGEST, sizes)

    def test_texts_are_compressed_for_those_who_take_it(self) -> None:
        for name in ("", *TEXTS):
            answer = self.get(f"/{name}", accept_encoding="br, gzip")
            self.assertEqual("gzip", answer.headers["content-encoding"], name)
            self.assertEqual(gzip.decompress(answer.body), self.get(f"/{name}").body, name)
            self.assertIn("accept-encoding", answer.headers["vary"], name)

    def test_who_takes_none_gets_none(self) -> None:
        for accepted in ("identity", "gzip;q=0", "gzip; q=0.0", "br"):
            answer = self.get("/style.css", accept_encoding=accepted)
            self.assertNotIn("content-encoding", answer.headers, accepted)

    def test_what_the_browser_has_is_not_sent_again_in_either_form(self) -> None:
        for name in ("", *FILES):
            for accepted in ("gzip", "identity"):
                tag = self.get(f"/{name}", accept_encoding=accepted).headers["etag"]
                again = self.get(f"/{name}", accept_encoding=accepted, if_none_match=tag)
                self.assertEqual((304, b""), (again.code, again.body), name)

    def test_the_browser_asks_each_time_whether_it_has_changed(self) -> None:
        for name in ("", "manifest.webmanifest", *FILES):
            self.assertEqual("no-cache", self.get(f"/{name}").headers["cache-control"], name)

    def test_the_two_forms_are_told_apart_by_their_tags(self) -> None:
        plain, small = self.get("/page.js"), self.get("/page.js", accept_encoding="gzip")
        self.assertNotEqual(plain.headers["etag"], small.headers["etag"])

    def test_every_module_that_is_imported_is_there(self) -> None:
        for name in FILES:
            if name.endswith(".js") and name != "uplot.js":
                source = (STATIC / name).read_text()
                for line in source.splitlines():
                    if line.startswith("import "):
                        self.assertIn(line.split('"./')[1].split('"')[0], FILES, name)


class ManifestTests(PageCase):
    def test_it_names_the_page_in_each_language_and_icons_that_are_there(self) -> None:
        for language in LANGUAGES:
            answer = self.get("/manifest.webmanifest", accept_language=language)
            told = json.loads(answer.body)
            self.assertEqual((told["lang"], told["display"]), (language, "standalone"))
            self.assertTrue(answer.headers["content-type"].startswith("application/manifest+json"))
            for icon in told["icons"]:
                self.assertEqual(200, self.get(f"/{icon['src']}").code, icon)

    def test_the_policy_allows_it_and_the_worker(self) -> None:
        policy = self.get("/").headers["content-security-policy"]
        self.assertIn("manifest-src 'self'", policy)
        self.assertIn("worker-src 'self'", policy)
        self.assertNotIn("unsafe", policy)
