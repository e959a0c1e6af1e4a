"""How tests open a screen, read it and press its buttons."""

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from cbt_core.domain.people import Person

ROOT = Path(__file__).resolve().parents[2]

Enter = Callable[[str, str], Person]


def cold(name: str) -> AppTest:
    """Open a screen as a cold server would: its file alone."""
    return AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=60).run()


def show(name: str) -> AppTest:
    """Open a screen through the door."""
    door = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    return door.switch_page(f"pages/{name}.py").run()


def words(screen: AppTest) -> str:
    """Return everything a screen says, tables included."""
    kinds = (screen.title, screen.header, screen.subheader, screen.text, screen.caption,
             screen.markdown, screen.info, screen.warning, screen.error, screen.success,
             screen.code, screen.metric, screen.button)
    said = [str(getattr(one, "value", "")) + str(getattr(one, "label", ""))
            for kind in kinds for one in kind]
    said += [one.value.to_csv() for one in screen.dataframe]
    said += [one.value.to_csv() for one in screen.table]
    return "\n".join(said)


def press(screen: AppTest, label: str) -> AppTest:
    """Press the button of this label and return the screen that follows."""
    found = next(one for one in screen.button if one.label == label)
    return found.click().run()
