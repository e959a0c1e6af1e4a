"""Facts about the study: ethics, protocol, registration, what can be computed again."""

from collections.abc import Mapping
from typing import Final

from cbt_core.domain.instrument import Text
from cbt_core.services.reporting.facts import (
    Fact,
    Told,
    View,
    answered,
    authors,
    date,
    said,
    setting,
)
from cbt_core.stats.signature import VERSION


def ethics(view: View) -> Told:
    """Return the decision on record and the signed consents; without a record, ask."""
    found, people = view.context.ethics, view.context.people
    consent = said(
        "consent", count=people.consented, version=", ".join(people.consent_versions)
    ) if people.consented else None
    if found.committee and found.number:
        until = said("ethics_until", date=found.valid_until) if found.valid_until else None
        return answered(
            said("ethics_committee", committee=found.committee, number=found.number), until, consent
        )
    if found.recorded:
        return answered(said("ethics_exempt", reason=found.reason), consent)
    return authors(said("ethics_missing"), consent)


def protocol(view: View) -> Told:
    """Return which protocol is in force, since when, and what became of it."""
    found = view.analysis.registered
    return answered(
        said("protocol", digest=found.digest[:16], date=date(found.at)),
        said("amended", count=len(found.amendments), late=len(found.deviations))
        if found.amendments else said("not_amended"),
        said("protocol_place"),
    )


def registration(view: View) -> Told:
    """Return the frozen plan; the register and its number only the authors know."""
    return authors(frozen(view), said("register_place"))


def preregistration(view: View) -> Told:
    """Return whether the plan was frozen before the first rating."""
    if view.analysis.registered.declared_at is None:
        return authors(frozen(view), said("register_place"))
    return answered(frozen(view), said("register_link"))


def frozen(view: View) -> Text:
    """Return how the plan stands to the first rating."""
    found = view.analysis.registered
    if found.declared_at:
        digest = (found.declared_digest or "")[:16]
        return said("frozen", date=date(found.declared_at), digest=digest)
    if found.before:
        return said("stood_before", digest=found.digest[:16])
    return said("changed_after", version=found.plan_version, digest=found.plan_digest[:16])


def code(view: View) -> Told:
    """Return how the figures can be computed again."""
    return answered(said(
        "code", version=VERSION, seed=setting(view, "seed"), data=setting(view, "data"),
        protocol=view.analysis.registered.digest[:8],
    ), said("code_place"))


def materials(view: View) -> Told:
    """Leave the address to the authors, with what there is to deposit."""
    return authors(said("materials", protocol=view.analysis.registered.digest[:8]))


def detailed_results(_view: View) -> Told:
    """Return what goes with the report; where it is public only the authors know."""
    return answered(said("detailed"), said("detailed_place"))


def personal_data(view: View) -> Told:
    """Leave it to the authors, with what the desk stores of raters."""
    return authors(said("personal_data", fields=len(view.context.protocol.raters.profile)))


def special_data(_view: View) -> Told:
    """Leave it to the authors, with what to think of."""
    return authors(said("special_data"))


FACTS: Final[Mapping[str, Fact]] = {
    "code": code,
    "detailed_results": detailed_results,
    "ethics": ethics,
    "materials": materials,
    "personal_data": personal_data,
    "preregistration": preregistration,
    "protocol": protocol,
    "registration": registration,
    "special_data": special_data,
}
