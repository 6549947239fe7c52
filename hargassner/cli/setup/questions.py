"""What setup asks: only what cannot be known, each with a default."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hargassner.cli.setup.files import BOILER_NETWORK
from hargassner.cli.setup.machine import Networking, Seen
from hargassner.cli.setup.plan import Answers
from hargassner.config import ConfigError, config_from

LOCAL_PAGE = ""
HOME_PAGE = "tcp:8080"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line answers already, by the names of ``Answers``; None is not answered."""

    given: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.given.get(name)

    def text(self, name: str, default: str = "") -> str:
        """A text that was given, or its default."""
        return self[name] or default


class Asker:
    """Asks questions, or takes their defaults.

    Args:
        read: shows a question and reads a line.
        say: shows a line.
        quiet: take every default.
    """

    def __init__(
        self, read: Callable[[str], str], say: Callable[[str], None], *, quiet: bool
    ) -> None:
        self._read = read
        self._say = say
        self._quiet = quiet

    def text(
        self, question: str, default: str, given: str | None, problem: Callable[[str], str]
    ) -> str:
        """A text.

        Args:
            question: what is asked.
            default: what is taken where nothing is typed.
            given: the answer, if there is one already.
            problem: what is wrong with an answer; empty where nothing is.
        """
        if given is not None:
            return given
        return default if self._quiet else self._typed(question, default, problem)

    def _typed(self, question: str, default: str, problem: Callable[[str], str]) -> str:
        while True:
            typed = self._read(f"{question} [{default}] ").strip() or default
            wrong = problem(typed)
            if not wrong:
                return typed
            self._say(f"  {wrong}")

    def yes(self, question: str, default: bool, given: bool | None) -> bool:
        """Yes or no."""
        shown = "yes" if default else "no"
        text = None if given is None else _word(given)
        answer = self.text(question, shown, text, _no_yes_or_no)
        return answer.lower().startswith("y")


def _word(flag: bool) -> str:
    return "yes" if flag else "no"


def _no_yes_or_no(answer: str) -> str:
    return "" if answer.lower() in ("y", "yes", "n", "no") else "yes or no?"


def ask(seen: Seen, options: Options, asker: Asker) -> Answers:
    """Ask what cannot be known; the result is what the owner wants."""
    with_gateway = asker.yes(
        "Does the maker's Internet gateway reach the boiler through this machine\n"
        "(the boiler's cable in a network port of its own)?",
        _may_have_gateway(seen),
        options["with_gateway"],
    )
    sides = _sides(seen, options, asker) if with_gateway else {}
    host = _host(seen, options, asker)
    if not with_gateway and not host:
        # Where it is asked for; a broadcast without an interface goes where the Internet is.
        sides = {"boiler_interface": options.text("boiler_interface", seen.home)}
    broker = _broker(seen, options, asker)
    return Answers(
        with_gateway=with_gateway,
        boiler_host=host,
        language=asker.text(
            "Language of names (en, de, fr)",
            options.text("default_language", "en"),
            options["language"],
            _wrong_for("homeassistant", "language"),
        ),
        page=_page(options, asker),
        instance=options.text("instance"),
        start=options["start"] is not False,
        **sides,
        **broker,
    )


def _may_have_gateway(seen: Seen) -> bool:
    """Whether this looks like a machine between gateway and boiler.

    A boiler that answers in the home's network is not behind this machine.
    """
    return bool(seen.other) and seen.boiler is None


def _host(seen: Seen, options: Options, asker: Asker) -> str:
    # A router may give it another one; but of several boilers each needs its own.
    return asker.text(
        "The boiler's address (empty: it is found)",
        seen.boiler.address if seen.boiler and options.text("instance") else "",
        options["boiler_host"],
        _wrong_for("boiler", "host"),
    )


def _sides(seen: Seen, options: Options, asker: Asker) -> dict[str, Any]:
    names = [each.name for each in seen.interfaces]
    is_one = _one_of(names)
    home = asker.text(
        f"Port towards the home's network ({', '.join(names)})",
        seen.home,
        options["gateway_interface"],
        is_one,
    )
    left = next((each for each in names if each != home), "")
    boiler = asker.text(
        f"Port towards the boiler ({', '.join(names)})",
        left,
        options["boiler_interface"],
        is_one,
    )
    fixed = _lacks_address(seen, boiler) and seen.networking is not Networking.UNKNOWN
    network = options.text("network", BOILER_NETWORK)
    return {
        "gateway_interface": home,
        "boiler_interface": boiler,
        "network": network,
        "fixed_address": asker.yes(
            f"Give {boiler} a fixed address in {network} ({seen.networking.value})?",
            fixed,
            options["fixed_address"],
        ),
        "dhcp": asker.yes(
            f"Have this machine give the boiler its address, on {boiler} only (dnsmasq)?",
            fixed and not seen.uses_dnsmasq,
            options["dhcp"],
        ),
    }


def _lacks_address(seen: Seen, interface: str) -> bool:
    return not any(each.address for each in seen.interfaces if each.name == interface)


def _broker(seen: Seen, options: Options, asker: Asker) -> dict[str, Any]:
    url = asker.text(
        "MQTT broker, such as mqtt://192.168.1.10 (empty: none)",
        "mqtt://127.0.0.1" if seen.has_broker else "",
        options["mqtt_url"],
        _wrong_for("mqtt", "url"),
    )
    if not url:
        return {}
    any_text = _wrong_for("mqtt", "username")
    user = asker.text("  its user (empty: none)", "", options["mqtt_username"], any_text)
    password = (
        asker.text("  the user's password", "", options["mqtt_password"], any_text) if user else ""
    )
    return {"mqtt_url": url, "mqtt_username": user, "mqtt_password": password}


def _page(options: Options, asker: Asker) -> str:
    home = asker.yes(
        "Show the page to the whole home network? It has no password, and shows only",
        False,
        options["page_for_home"],
    )
    return HOME_PAGE if home else LOCAL_PAGE


def _one_of(names: Sequence[str]) -> Callable[[str], str]:
    return lambda answer: "" if answer in names else f"one of {', '.join(names) or 'none'}"


def _wrong_for(section: str, key: str) -> Callable[[str], str]:
    """What the configuration has against a value of a key."""

    def problem(answer: str) -> str:
        try:
            config_from({section: {key: answer}})
        except ConfigError as wrong:
            return str(wrong)
        return ""

    return problem
