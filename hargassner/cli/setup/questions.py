"""What setup asks: only what cannot be known, each with a default."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hargassner.cli.setup.files import BOILER_NETWORK
from hargassner.cli.setup.machine import Networking, Seen
from hargassner.cli.setup.plan import Answers
from hargassner.config import ConfigError, config_from

_WORDS = {True: "yes", False: "no", None: None}


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
        typed = self._once(question, default)
        while wrong := problem(typed):
            self._say(f"  {wrong}")
            typed = self._once(question, default)
        return typed

    def _once(self, question: str, default: str) -> str:
        return self._read(f"{question} [{default}] ").strip() or default

    def yes(self, question: str, default: bool, given: bool | None) -> bool:
        """Yes or no."""
        answer = self.text(question, _WORDS[default] or "", _WORDS[given], _no_yes_or_no)
        return answer.lower().startswith("y")


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
    ask_where = _between if with_gateway else _telemetry_only
    place = ask_where(seen, options, asker)
    broker = _broker(seen, options, asker)
    return Answers(
        with_gateway=with_gateway,
        language=asker.text(
            "Language of names (en, de, fr)",
            options.text("default_language", "en"),
            options["language"],
            _wrong_for("homeassistant", "language"),
        ),
        page=_page(seen.addresses.get(place["gateway_interface"], ""), options, asker),
        instance=options.text("instance"),
        start=options["start"] is not False,
        **place,
        **broker,
    )


def _may_have_gateway(seen: Seen) -> bool:
    """Whether this looks like a machine between gateway and boiler.

    A boiler that answers in the home's network is not behind this machine.
    """
    return bool(seen.beside(seen.home)) and seen.boiler is None


def _host(seen: Seen, options: Options, asker: Asker) -> str:
    # A router may give it another one; but of several boilers each needs its own.
    return asker.text(
        "The boiler's address (empty: it is found)",
        seen.boiler_address if options.text("instance") else "",
        options["boiler_host"],
        _wrong_for("boiler", "host"),
    )


def _telemetry_only(seen: Seen, options: Options, asker: Asker) -> dict[str, Any]:
    """Where the boiler is, in the home's network."""
    host = _host(seen, options, asker)
    # Where it is asked for; a broadcast without an interface goes where the Internet is.
    interface = "" if host else options.text("boiler_interface", seen.home)
    return {"gateway_interface": "", "boiler_interface": interface, "boiler_host": host}


def _between(seen: Seen, options: Options, asker: Asker) -> dict[str, Any]:
    """Where the bridge is between the home's network and the boiler's."""
    names = [*seen.addresses]
    listed, is_one = ", ".join(names), _one_of(names)
    home = asker.text(
        f"Port towards the home's network ({listed})",
        seen.home,
        options["gateway_interface"],
        is_one,
    )
    boiler = asker.text(
        f"Port towards the boiler ({listed})",
        seen.beside(home),
        options["boiler_interface"],
        is_one,
    )
    return {
        "gateway_interface": home,
        "boiler_interface": boiler,
        **_boiler_network(seen, options, asker, boiler),
        "boiler_host": _host(seen, options, asker),
    }


def _boiler_network(seen: Seen, options: Options, asker: Asker, boiler: str) -> dict[str, Any]:
    """What the boiler's port, and the boiler, get an address of."""
    has_address = seen.addresses.get(boiler)
    fixed = seen.networking is not Networking.UNKNOWN and not has_address
    network = options.text("network", BOILER_NETWORK)
    return {
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


def _broker(seen: Seen, options: Options, asker: Asker) -> dict[str, Any]:
    url = asker.text(
        "MQTT broker, such as mqtt://192.168.1.10 (empty: none)",
        "mqtt://127.0.0.1" if seen.has_broker else "",
        options["mqtt_url"],
        _wrong_for("mqtt", "url"),
    )
    return {"mqtt_url": url, **_login(options, asker)} if url else {}


def _login(options: Options, asker: Asker) -> dict[str, str]:
    any_text = _wrong_for("mqtt", "username")
    user = asker.text("  its user (empty: none)", "", options["mqtt_username"], any_text)
    if not user:
        return {}
    password = asker.text("  the user's password", "", options["mqtt_password"], any_text)
    return {"mqtt_username": user, "mqtt_password": password}


def _page(address: str, options: Options, asker: Asker) -> str:
    """Where the page listens, given this machine's address in the home's network.

    The address is "" where it is not known, or where the boiler has no network of its own.
    """
    home = asker.yes(
        "Show the page to the whole home network? It has no password, and shows only",
        False,
        options["page_for_home"],
    )
    listen = f"tcp:8080:interface={address}" if address else "tcp:8080"
    return listen if home else ""


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
