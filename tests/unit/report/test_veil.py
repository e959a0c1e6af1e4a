"""True names in what people wrote: gone while masked, and the gap does not tell which."""

from dataclasses import dataclass

from cbt_core.report.context import Veil

NAMES = ["zebra-lora", "zebra", "base", "基线"]


@dataclass(frozen=True, slots=True)
class Held:
    """Something that holds texts."""

    text: str
    inner: dict[str, tuple[str, ...]]
    number: int = 3


def test_every_name_becomes_the_same_words() -> None:
    veil = Veil(NAMES, "en")
    assert veil.text("zebra-lora beats base") == "[name hidden] beats [name hidden]"
    assert veil.text("比较zebra与基线模型") == "比较[name hidden]与[name hidden]模型"


def test_a_part_of_a_longer_word_is_no_name() -> None:
    veil = Veil(NAMES, "en")
    assert veil.text("database, base-2, baseline") == "database, base-2, baseline"


def test_it_reaches_into_what_is_held() -> None:
    held = Held("base", {"zebra": ("by base", "")})
    found = Veil(NAMES, "zh").over(held)
    assert found == Held("［名称已隐去］", {"［名称已隐去］": ("by ［名称已隐去］", "")})


def test_without_names_nothing_changes() -> None:
    assert Veil([], "en").text("base") == "base"
