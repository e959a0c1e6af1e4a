"""What a protocol says about raters: consent, profile, practice, quality checks, breaks."""

from typing import Final

from cbt_core.domain.instrument import Text
from cbt_core.domain.protocol import LIVE, ProfileField, Raters
from cbt_core.errors import StudyError
from cbt_core.files.protocol_practice import read_attention, read_practice
from cbt_core.files.protocol_setting import Setting, listed, named_file
from cbt_core.instruments import defaults
from cbt_core.instruments.defaults import read_profile
from cbt_core.instruments.reading import Table, parse_toml, read_text, refuse_repeats, tidy

DEVICES: Final = ("desktop", "tablet", "phone")
LARGEST_NUMBER: Final = 100_000
KEYS: Final = (
    "consent", "profile", "practice", "pass_mark", "attention", "recalibrate_every",
    "break_after_minutes", "break_after_risk_items", "arm_guess", "devices",
)  # fmt: skip


def read_raters(table: Table, setting: Setting) -> Raters:
    """Return what a rater goes through and is offered.

    Raises:
        StudyError: an unknown key, a file that is missing or wrong, a value out of range.
    """
    table.only(*KEYS)
    return Raters(
        consent=_consent(table, setting),
        profile=_profile(table, setting),
        practice=read_practice(table, setting),
        pass_mark=table.number("pass_mark", 0.7, low=0, high=1),
        attention=read_attention(table, setting),
        recalibrate_every=table.whole("recalibrate_every", 0, low=0, high=LARGEST_NUMBER),
        break_after_minutes=table.whole("break_after_minutes", 45, low=0, high=LARGEST_NUMBER),
        break_after_risk_items=table.whole(
            "break_after_risk_items", 20, low=0, high=LARGEST_NUMBER
        ),
        arm_guess=table.yes_no("arm_guess", True),
        devices=_devices(table),
    )


def _consent(table: Table, setting: Setting) -> Text:
    """Return the consent: written in the protocol, or a text file or TOML with zh and en."""
    if not isinstance(table.content.get("consent"), str):
        is_live = setting.source_kind == LIVE
        return table.words("consent", defaults().consent_live if is_live else defaults().consent)
    path = named_file(table, "consent", setting.folder)
    written = read_text(path)
    if path.suffix == ".toml":
        bilingual = parse_toml(written, str(path))
        return Table(bilingual.file, "", {"consent": bilingual.content}).words("consent")
    if not tidy(written):
        raise StudyError("instruments.empty", file=str(path), key="consent")
    return Text(tidy(written), tidy(written))


def _profile(table: Table, setting: Setting) -> tuple[ProfileField, ...]:
    if not table.has("profile"):
        return defaults().profile
    found = listed(table, "profile", "fields", setting)
    found.only("fields")
    return read_profile(found, "fields")


def _devices(table: Table) -> tuple[str, ...]:
    found = table.strings("devices", ("desktop", "tablet"))
    if not found or not set(found) <= set(DEVICES):
        raise table.refusal("devices", "instruments.not_option", options=", ".join(DEVICES))
    refuse_repeats(table, "devices", found)
    return found
