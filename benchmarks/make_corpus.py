"""Write a synthetic corpus of our own words, as large as the paper's: 22,327 items × 4 answers.

    python benchmarks/make_corpus.py --out /tmp/corpus

makes study.jsonl (about 111 MB), study.csv, study.xlsx (texts in the cells, as openpyxl writes),
study-shared.xlsx (texts in a table of their own, as Excel writes), questions.jsonl and
answers.jsonl. The texts are drawn from a few dozen clauses with a stored seed: they look like
advice, and are none.
"""

import argparse
import csv
import json
import random
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook

ITEMS = 22_327
SYSTEMS = ("baseline", "tuned-a", "tuned-b", "expert")
ANSWER_CHARACTERS = (340, 370)
DESCRIPTION_CHARACTERS = (160, 205)

SITUATIONS = (
    "最近工作上的事情一件接着一件",
    "晚上躺下以后脑子停不下来",
    "和室友为了小事闹得不愉快",
    "考试成绩比预想的差了很多",
    "孩子写作业总要拖到很晚",
    "父母打来电话就忍不住争执",
    "领导当着同事的面批评了方案",
    "相处多年的朋友渐渐不再联系",
    "搬到新的城市以后很少出门",
    "每次开会发言手心都会出汗",
    "计划好的事情总是做到一半",
    "体检之后一直担心身体",
)
THOUGHTS = (
    "我总觉得是自己不够好",
    "好像别人都比我从容",
    "心里认定这次一定会搞砸",
    "觉得大家都在背后议论我",
    "一次没做好就像全都白费",
    "想说的话到嘴边又咽了回去",
    "明明很累却不敢休息",
    "反复回想当时说过的每句话",
)
ADVICE = (
    "能把这些说出来已经很不容易",
    "听得出这段时间您承受了不少",
    "我们先看看当时闪过的那个念头",
    "这个想法出现时身体有什么感觉",
    "有没有哪一次结果并不像担心的那样",
    "如果好朋友遇到同样的事您会怎么说",
    "不妨把支持和反对的证据各写三条",
    "试着给最坏和最可能的结果各打一个分",
    "也许可以换一个更贴近事实的说法",
    "先从十分钟能完成的小事开始",
    "每天固定一个时间把担心写下来",
    "睡前一小时把手机放到另一个房间",
    "和对方约一个双方都不忙的时间谈",
    "说感受的时候多用我字开头",
    "把大的目标拆成看得见的几步",
    "做到之后给自己一点小小的肯定",
    "反复是改变当中很正常的一部分",
    "一两周以后再回来看看这张记录",
    "如果影响到吃饭和睡眠请考虑当面咨询",
    "慢慢来您已经走在路上",
    "情绪像天气会来也会走",
    "念头只是念头不等于事实",
    "留意总是和从来不这样的字眼",
    "把注意力轻轻带回到呼吸上",
)
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHARED = f'<Relationship Type="{RELATION}/sharedStrings" Target="sharedStrings.xml" Id="rId9"/>'
SHARED_TYPE = (
    '<Override PartName="/xl/sharedStrings.xml" ContentType="application/'
    'vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)
INLINE = re.compile(r't="inlineStr"><is><t>([^<]*)</t></is></c>')
MARKS = "，，，。。；"


@dataclass(frozen=True, slots=True)
class Item:
    """One question with its description and an answer per system."""

    key: str
    question: str
    description: str
    answers: dict[str, str]


def items(count: int, seed: int) -> Iterator[Item]:
    """Draw items; the same seed gives the same corpus."""
    dice = random.Random(seed)
    for number in range(1, count + 1):
        yield Item(
            key=f"q{number:05d}",
            question=f"{dice.choice(SITUATIONS)}，{dice.choice(THOUGHTS)}，该怎么办？（{number}）",
            description=_text(dice, SITUATIONS + THOUGHTS, DESCRIPTION_CHARACTERS),
            answers={system: _text(dice, ADVICE, ANSWER_CHARACTERS) for system in SYSTEMS},
        )


def _text(dice: random.Random, clauses: tuple[str, ...], bounds: tuple[int, int]) -> str:
    length, wanted = 0, dice.randint(*bounds)
    parts: list[str] = []
    while length < wanted:
        part = dice.choice(clauses) + dice.choice(MARKS)
        parts.append(part)
        length += len(part)
    return "".join(parts)


def write(folder: Path, count: int, seed: int) -> None:
    """Write the corpus in every form."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder / "study.jsonl").open("w", encoding="utf-8") as study,
        (folder / "questions.jsonl").open("w", encoding="utf-8") as questions,
        (folder / "answers.jsonl").open("w", encoding="utf-8") as answers,
    ):
        for item in items(count, seed):
            asked = {"id": item.key, "question": item.question, "description": item.description}
            study.write(_line({**asked, "answers": item.answers}))
            questions.write(_line(asked))
            for system, text in item.answers.items():
                answers.write(_line({"id": item.key, "system": system, "answer": text}))
    _write_csv(folder / "study.csv", count, seed)
    _write_xlsx(folder / "study.xlsx", count, seed)
    _share(folder / "study.xlsx", folder / "study-shared.xlsx")


def _line(record: Mapping[str, object]) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _rows(count: int, seed: int) -> Iterator[list[str]]:
    yield ["id", "question", "description", *(f"answer:{system}" for system in SYSTEMS)]
    for item in items(count, seed):
        yield [item.key, item.question, item.description, *item.answers.values()]


def _write_csv(path: Path, count: int, seed: int) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(_rows(count, seed))


def _write_xlsx(path: Path, count: int, seed: int) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("study")
    for row in _rows(count, seed):
        sheet.append(row)
    book.save(path)


def _share(path: Path, out: Path) -> None:
    """Copy a workbook, its texts moved to a table that the cells refer to by number."""
    texts: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return f't="s"><v>{texts.setdefault(found.group(1), len(texts))}</v></c>'

    with ZipFile(path) as old, ZipFile(out, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name).decode()
            if name == "xl/_rels/workbook.xml.rels":
                part = part.replace("</Relationships>", f"{SHARED}</Relationships>")
            elif name == "[Content_Types].xml":
                part = part.replace("</Types>", f"{SHARED_TYPE}</Types>")
            elif name.startswith("xl/worksheets/"):
                part = INLINE.sub(number, part)
            new.writestr(name, part)
        table = "".join(f"<si><t>{text}</t></si>" for text in texts)
        new.writestr("xl/sharedStrings.xml", f'<sst xmlns="{NAMESPACE}">{table}</sst>')


def main() -> None:
    """Read the command line and write the corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    write(options.out, options.items, options.seed)
    for path in sorted(options.out.glob("*.*")):
        sys.stdout.write(f"{path} {path.stat().st_size / 1e6:.1f} MB\n")


if __name__ == "__main__":
    main()
