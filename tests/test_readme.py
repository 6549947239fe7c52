"""The README keeps its promises to whoever copies from it."""

import re
import tomllib
from dataclasses import asdict
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hargassner.config import Config, config_from

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def examples(document: str) -> list[str]:
    """The examples of a configuration in a document."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(r"```toml\n(.*?)```", text, re.DOTALL)


class ConfigurationTests(SynchronousTestCase):
    """The examples of a configuration."""

    def test_the_reference_lists_every_key_with_its_default(self) -> None:
        [reference_text] = examples("docs/configuration.md")
        reference = tomllib.loads(reference_text)
        documented = {(section, key) for section, keys in reference.items() for key in keys}
        existing = {(section, key) for section, keys in asdict(Config()).items() for key in keys}
        self.assertEqual(documented, existing)
        self.assertEqual(Config(), config_from(reference))

    def test_every_example_is_a_sound_configuration(self) -> None:
        documents = ["README.md", *(f"docs/{each.name}" for each in (ROOT / "docs").glob("*.md"))]
        for document in documents:
            for example in examples(document):
                # What begins with a section stands for itself; the rest is shown below its section.
                if re.match(r"(#.*\n)*\[", example):
                    config_from(tomllib.loads(example))

    def test_the_readme_is_short(self) -> None:
        self.assertLessEqual(len(README.splitlines()), 200)


class LinkTests(SynchronousTestCase):
    """What the documents point to."""

    def test_whatever_is_linked_is_there(self) -> None:
        documents = [
            each for folder in ("", "docs/", "packaging/") for each in ROOT.glob(f"{folder}*.md")
        ]
        dead = [
            f"{document.relative_to(ROOT)}: {target}"
            for document in documents
            for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
            if "://" not in target and not (document.parent / target).exists()
        ]
        self.assertEqual([], dead)

    def test_whatever_is_copied_from_packaging_is_there(self) -> None:
        for name in re.findall(r"\bpackaging/[\w.-]+", README):
            self.assertTrue((ROOT / name).exists(), name)
