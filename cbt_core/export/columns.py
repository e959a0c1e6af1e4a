"""The columns of every exported table with their meaning in Chinese and English."""

from typing import Final

from cbt_core.analysis.rows import (
    EXCLUDED,
    INTEGER,
    ITEM,
    KIND,
    LANG,
    NUMBER,
    ORDER,
    PANEL,
    RATER,
    REVISION,
    SECONDS,
    SYSTEM,
    TEXT,
    described,
    scale_columns,
)
from cbt_core.domain.instrument import Instrument
from cbt_core.files.writer import Column

CHANCE: Final = described(
    "inclusion_probability", NUMBER, "抽取该题目的入样概率（空=未知）",
    "probability with which the item was drawn (empty: not known)",
)


def task_columns(instrument: Instrument) -> tuple[Column, ...]:
    """Return the columns of `tasks`, with one per scale of the whole task."""
    return (
        ITEM, RATER, PANEL, KIND, ORDER,
        described("slots", TEXT, "各位置的系统", "which system stood in which slot"),
        described("state", TEXT, "任务状态", "state of the task"),
        described(
            "repeat_of", INTEGER, "重复题所对应的原题位置", "order of the task this one repeats"
        ),
        described("opened_at", TEXT, "首次打开时间（UTC）", "first opened (UTC)"),
        described("saved_at", TEXT, "最近提交时间（UTC）", "last submission (UTC)"),
        REVISION, SECONDS,
        described("layout", TEXT, "版式", "layout"),
        described("input", TEXT, "输入方式", "input kind: keyboard, pointer, touch or mixed"),
        described("width", INTEGER, "窗口宽度（像素）", "width of the window in pixels"),
        LANG,
        described("confidence", INTEGER, "把握程度 1–3", "confidence 1-3"),
        *scale_columns(instrument, level="task"),
    )


def item_columns(*, unblinded: bool) -> tuple[Column, ...]:
    """Return the columns of `items`; the source may give a system away."""
    fixed = (
        ITEM,
        described("kind", TEXT, "main 正式题、check 质量核对题", "main, or check (quality check)"),
        described("question", TEXT, "问题", "question"),
        described("description", TEXT, "描述", "description"),
        described("keywords", TEXT, "关键词（| 分隔）", "keywords, separated by |"),
        described("licence", TEXT, "许可", "licence"),
        described("risk", TEXT, "风险：none、possible、high", "risk: none, possible or high"),
        described(
            "risk_detected", INTEGER, "1=风险由程序检出", "1: the risk was detected by screening"
        ),
        described("withdrawn_at", TEXT, "撤回时间（UTC）", "withdrawn at (UTC)"),
        described("withdrawn_reason", TEXT, "撤回原因", "reason of the withdrawal"),
        CHANCE,
    )
    source = described("source", TEXT, "来源", "source")
    return (*fixed, source) if unblinded else fixed


def answer_columns(*, unblinded: bool) -> tuple[Column, ...]:
    """Return the columns of `answers`; provenance only when unblinded."""
    fixed = (ITEM, SYSTEM, described("answer", TEXT, "回答全文", "text of the answer"))
    if not unblinded:
        return fixed
    return (
        *fixed,
        described("model", TEXT, "模型", "model"),
        described("adapter", TEXT, "适配器", "adapter"),
        described("prompt", TEXT, "提示词", "prompt"),
        described("run", TEXT, "运行", "run"),
        described(
            "distortions", TEXT, "模型给出的歪曲标签（| 分隔）", "machine labels, separated by |"
        ),
    )


REVISIONS: Final = (
    ITEM, SYSTEM, RATER, PANEL, KIND, REVISION,
    described("at", TEXT, "提交时间（UTC）", "time of the submission (UTC)"),
    described("scale", TEXT, "评分维度", "scale"),
    described("value", INTEGER, "评分", "score"),
    described("missing_reason", TEXT, "缺失原因", "why the score is missing"),
    described("reason", TEXT, "更正理由", "reason of the correction"),
)
MISSING: Final = (
    ITEM, SYSTEM, RATER, PANEL, KIND,
    described(
        "scale", TEXT, "评分维度（空=整题跳过）", "scale (empty: the whole task was skipped)"
    ),
    described("reason", TEXT, "原因", "reason"),
)
COMMENTS: Final = (
    ITEM, RATER, PANEL, KIND, REVISION,
    described(
        "about", TEXT, "comment 备注、skip 跳过、correction 更正", "comment, skip or correction"
    ),
    described("text", TEXT, "文字", "text"),
)
PREFERENCES: Final = (
    ITEM, RATER, PANEL, KIND,
    described("slot", TEXT, "所选位置或 tie（相当）", "slot preferred, or tie"),
    described("system", TEXT, "所选回答的系统或 tie", "system preferred, or tie"),
    EXCLUDED,
)
STEPS: Final = (
    ITEM, SYSTEM, RATER, PANEL, KIND,
    described("step", TEXT, "步骤编号", "id of the step"),
    described("value", INTEGER, "0 无、1 部分、2 有", "0 absent, 1 partial, 2 present"),
)
FLAGS: Final = (
    ITEM, SYSTEM, RATER, PANEL, KIND,
    described("flag", TEXT, "安全标记类型", "kind of the safety flag"),
    described("severity", TEXT, "严重程度", "severity"),
    described("quote", TEXT, "引用片段", "quoted span"),
    described("start", INTEGER, "片段起点（码点）", "start of the span (code points)"),
    described("end", INTEGER, "片段终点（不含）", "end of the span, exclusive"),
)
GUESSES: Final = (
    ITEM, RATER, PANEL,
    described("slot", TEXT, "猜测的位置或 dont_know", "slot guessed, or dont_know"),
    described("system", TEXT, "该位置的系统或 dont_know", "system in that slot, or dont_know"),
    described("reason", TEXT, "理由", "reason"),
)
RATERS: Final = (
    RATER,
    described("work", TEXT, "rate 评定、label 标注", "rate or label"),
    described("tasks", INTEGER, "分配的任务数", "tasks given"),
    described("done", INTEGER, "完成的任务数", "tasks done"),
    described("hours", NUMBER, "专注工时（小时）", "active hours"),
    described("consent_version", TEXT, "知情同意书版本", "version of the consent"),
    described("consent_at", TEXT, "同意时间（UTC）", "consent given at (UTC)"),
    described("practice_at", TEXT, "通过练习时间（UTC）", "practice passed at (UTC)"),
    described("final_at", TEXT, "确认最终评分时间（UTC）", "scores confirmed as final at (UTC)"),
    described(
        "profile", TEXT, "个人信息（项=值；未回答的不列）",
        "profile (field=value; declined: absent)",
    ),
    EXCLUDED,
)
EXCLUSIONS: Final = (
    RATER, ITEM,
    described("reason", TEXT, "原因", "reason"),
    described("actor", TEXT, "执行者", "who excluded"),
    described("at", TEXT, "时间（UTC）", "when (UTC)"),
)
AUDIT: Final = (
    described("seq", INTEGER, "序号", "number in the chain"),
    described("at", TEXT, "时间（UTC）", "when (UTC)"),
    described("actor", TEXT, "执行者", "who"),
    described("action", TEXT, "操作", "what"),
    described("payload", TEXT, "内容（JSON）", "content (JSON)"),
    described("hash", TEXT, "哈希链值", "hash of the chain"),
)
LABELS: Final = (
    ITEM, described("annotator", TEXT, "标注者代码", "code of the annotator"),
    described("labels", TEXT, "标签（| 分隔；空=无）", "labels, separated by |; empty: none"),
)
SPANS: Final = (
    ITEM, described("annotator", TEXT, "标注者代码", "code of the annotator"),
    described("start", INTEGER, "起点（码点）", "start (code points)"),
    described("end", INTEGER, "终点（不含）", "end, exclusive"),
    described("label", TEXT, "标签", "label"),
)
CODEBOOK: Final = (
    described("table", TEXT, "表", "table"),
    described("column", TEXT, "列或维度", "column or scale"),
    described("type", TEXT, "类型", "type"),
    described("value", INTEGER, "取值", "value"),
    described("zh", TEXT, "含义（中文）", "meaning (Chinese)"),
    described("en", TEXT, "含义（英文）", "meaning (English)"),
)


JUDGES: Final = (
    ITEM,
    Column("system", TEXT, "系统（揭盲前为代号）", "system (its masked name until unblinded)"),
    Column("judge", TEXT, "评判模型的名称；不是人", "name of the judge model; not a person"),
    Column("scale", TEXT, "评分维度", "scale"),
    Column("value", INTEGER, "模型给出的分值；空=模型认为无法判断",
           "score given by the model; empty: it could not rate it"),
    Column("reason", TEXT, "模型陈述的理由", "the reason the model gave"),
    Column("prompt_digest", TEXT, "提示词的 SHA-256", "SHA-256 of the prompt"),
    Column("instrument_digest", TEXT, "评定工具的 SHA-256", "SHA-256 of the instrument"),
    Column("run", TEXT, "运行", "run"),
)
