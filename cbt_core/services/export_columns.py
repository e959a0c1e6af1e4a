"""The columns of every exported table with their meaning in Chinese and English."""

from collections.abc import Iterable
from typing import Final

from cbt_core.domain.instrument import Instrument
from cbt_core.files.tables import Column

TEXT, INTEGER, NUMBER = "text", "integer", "number"


def _c(name: str, kind: str, zh: str, en: str) -> Column:
    return Column(name, kind, zh, en)


ITEM: Final = _c("item_id", TEXT, "题目编号", "id of the item")
SYSTEM: Final = _c(
    "system", TEXT, "系统（揭盲前为随机代号 S1…）", "system (a masked name S1… until unblinding)"
)
RATER: Final = _c("rater", TEXT, "评定者代码", "pseudonymous code of the rater")
PANEL: Final = _c(
    "panel", TEXT, "同时呈现的一组回答的代号", "opaque id of the answers shown together"
)
KIND: Final = _c(
    "kind", TEXT, "main 正式、repeat 重复、check 质量核对、calibration 校准",
    "main, repeat, check (quality check) or calibration",
)
ORDER: Final = _c(
    "order", INTEGER, "在该评定者序列中的位置（从 1 起）", "position in the rater's sequence from 1"
)
SECONDS: Final = _c(
    "seconds", NUMBER, "专注时长（秒；页面可见，空闲超过 60 秒不计）",
    "active seconds (page visible, idle cut at 60 s)",
)
EXCLUDED: Final = _c(
    "excluded", TEXT, "不纳入分析的原因（空=纳入）",
    "why it is left out of the analysis (empty: in)",
)
REVISION: Final = _c(
    "revision", INTEGER, "提交版本（从 1 起）",
    "revision of the submission from 1",
)
CHANCE: Final = _c(
    "inclusion_probability", NUMBER, "抽取该题目的入样概率（空=未知）",
    "probability with which the item was drawn (empty: not known)",
)
LANG: Final = _c("lang", TEXT, "界面语言", "language of the interface")


def ratings(instrument: Instrument) -> tuple[Column, ...]:
    """Return the columns of `ratings`: one per scale between the fixed ones."""
    return (
        ITEM, SYSTEM, RATER, PANEL, KIND, ORDER, *_scales(instrument, level=None), SECONDS,
        EXCLUDED,
        _c("occasion", INTEGER, "第几次评定（重复题为 2）", "occasion: 2 for a marked repeat"),
        REVISION,
        _c("slot", TEXT, "该回答所在位置（A、B…）", "slot in which the answer stood"),
        _c("layout", TEXT, "版式：并排或上下", "layout: side-by-side or stacked"),
        LANG,
        _c("instrument", TEXT, "评定工具的签名", "signature of the instrument"),
        _c(
            "missing_reason", TEXT, "缺失原因（维度=原因）",
            "why a score is missing (scale=reason)",
        ),
    )


def tasks(instrument: Instrument) -> tuple[Column, ...]:
    """Return the columns of `tasks`, with one per scale of the whole task."""
    return (
        ITEM, RATER, PANEL, KIND, ORDER,
        _c("slots", TEXT, "各位置的系统", "which system stood in which slot"),
        _c("state", TEXT, "任务状态", "state of the task"),
        _c("repeat_of", INTEGER, "重复题所对应的原题位置", "order of the task this one repeats"),
        _c("opened_at", TEXT, "首次打开时间（UTC）", "first opened (UTC)"),
        _c("saved_at", TEXT, "最近提交时间（UTC）", "last submission (UTC)"),
        REVISION, SECONDS,
        _c("layout", TEXT, "版式", "layout"),
        _c("input", TEXT, "输入方式", "input kind: keyboard, pointer, touch or mixed"),
        _c("width", INTEGER, "窗口宽度（像素）", "width of the window in pixels"),
        LANG,
        _c("confidence", INTEGER, "把握程度 1–3", "confidence 1-3"),
        *_scales(instrument, level="task"),
    )


def items(*, unblinded: bool) -> tuple[Column, ...]:
    """Return the columns of `items`; the source may give a system away."""
    fixed = (
        ITEM,
        _c("kind", TEXT, "main 正式题、check 质量核对题", "main, or check (quality check)"),
        _c("question", TEXT, "问题", "question"),
        _c("description", TEXT, "描述", "description"),
        _c("keywords", TEXT, "关键词（| 分隔）", "keywords, separated by |"),
        _c("licence", TEXT, "许可", "licence"),
        _c("risk", TEXT, "风险：none、possible、high", "risk: none, possible or high"),
        _c("risk_detected", INTEGER, "1=风险由程序检出", "1: the risk was detected by screening"),
        _c("withdrawn_at", TEXT, "撤回时间（UTC）", "withdrawn at (UTC)"),
        _c("withdrawn_reason", TEXT, "撤回原因", "reason of the withdrawal"),
        CHANCE,
    )
    source = _c("source", TEXT, "来源", "source")
    return (*fixed, source) if unblinded else fixed


def answers(*, unblinded: bool) -> tuple[Column, ...]:
    """Return the columns of `answers`; provenance only when unblinded."""
    fixed = (ITEM, SYSTEM, _c("answer", TEXT, "回答全文", "text of the answer"))
    if not unblinded:
        return fixed
    return (
        *fixed,
        _c("model", TEXT, "模型", "model"),
        _c("adapter", TEXT, "适配器", "adapter"),
        _c("prompt", TEXT, "提示词", "prompt"),
        _c("run", TEXT, "运行", "run"),
        _c("distortions", TEXT, "模型给出的歪曲标签（| 分隔）", "machine labels, separated by |"),
    )


REVISIONS: Final = (
    ITEM, SYSTEM, RATER, PANEL, KIND, REVISION,
    _c("at", TEXT, "提交时间（UTC）", "time of the submission (UTC)"),
    _c("scale", TEXT, "评分维度", "scale"),
    _c("value", INTEGER, "评分", "score"),
    _c("missing_reason", TEXT, "缺失原因", "why the score is missing"),
    _c("reason", TEXT, "更正理由", "reason of the correction"),
)
MISSING: Final = (
    ITEM, SYSTEM, RATER, PANEL, KIND,
    _c("scale", TEXT, "评分维度（空=整题跳过）", "scale (empty: the whole task was skipped)"),
    _c("reason", TEXT, "原因", "reason"),
)
COMMENTS: Final = (
    ITEM, RATER, PANEL, KIND, REVISION,
    _c("about", TEXT, "comment 备注、skip 跳过、correction 更正", "comment, skip or correction"),
    _c("text", TEXT, "文字", "text"),
)
PREFERENCES: Final = (
    ITEM, RATER, PANEL, KIND,
    _c("slot", TEXT, "所选位置或 tie（相当）", "slot preferred, or tie"),
    _c("system", TEXT, "所选回答的系统或 tie", "system preferred, or tie"),
    EXCLUDED,
)
STEPS: Final = (
    ITEM, SYSTEM, RATER, PANEL, KIND,
    _c("step", TEXT, "步骤编号", "id of the step"),
    _c("value", INTEGER, "0 无、1 部分、2 有", "0 absent, 1 partial, 2 present"),
)
FLAGS: Final = (
    ITEM, SYSTEM, RATER, PANEL, KIND,
    _c("flag", TEXT, "安全标记类型", "kind of the safety flag"),
    _c("severity", TEXT, "严重程度", "severity"),
    _c("quote", TEXT, "引用片段", "quoted span"),
    _c("start", INTEGER, "片段起点（码点）", "start of the span (code points)"),
    _c("end", INTEGER, "片段终点（不含）", "end of the span, exclusive"),
)
GUESSES: Final = (
    ITEM, RATER, PANEL,
    _c("slot", TEXT, "猜测的位置或 dont_know", "slot guessed, or dont_know"),
    _c("system", TEXT, "该位置的系统或 dont_know", "system in that slot, or dont_know"),
    _c("reason", TEXT, "理由", "reason"),
)
RATERS: Final = (
    RATER,
    _c("work", TEXT, "rate 评定、label 标注", "rate or label"),
    _c("tasks", INTEGER, "分配的任务数", "tasks given"),
    _c("done", INTEGER, "完成的任务数", "tasks done"),
    _c("hours", NUMBER, "专注工时（小时）", "active hours"),
    _c("consent_version", TEXT, "知情同意书版本", "version of the consent"),
    _c("consent_at", TEXT, "同意时间（UTC）", "consent given at (UTC)"),
    _c("practice_at", TEXT, "通过练习时间（UTC）", "practice passed at (UTC)"),
    _c("final_at", TEXT, "确认最终评分时间（UTC）", "scores confirmed as final at (UTC)"),
    _c(
        "profile", TEXT, "个人信息（项=值；未回答的不列）",
        "profile (field=value; declined: absent)",
    ),
    EXCLUDED,
)
EXCLUSIONS: Final = (
    RATER, ITEM,
    _c("reason", TEXT, "原因", "reason"),
    _c("actor", TEXT, "执行者", "who excluded"),
    _c("at", TEXT, "时间（UTC）", "when (UTC)"),
)
AUDIT: Final = (
    _c("seq", INTEGER, "序号", "number in the chain"),
    _c("at", TEXT, "时间（UTC）", "when (UTC)"),
    _c("actor", TEXT, "执行者", "who"),
    _c("action", TEXT, "操作", "what"),
    _c("payload", TEXT, "内容（JSON）", "content (JSON)"),
    _c("hash", TEXT, "哈希链值", "hash of the chain"),
)
LABELS: Final = (
    ITEM, _c("annotator", TEXT, "标注者代码", "code of the annotator"),
    _c("labels", TEXT, "标签（| 分隔；空=无）", "labels, separated by |; empty: none"),
)
SPANS: Final = (
    ITEM, _c("annotator", TEXT, "标注者代码", "code of the annotator"),
    _c("start", INTEGER, "起点（码点）", "start (code points)"),
    _c("end", INTEGER, "终点（不含）", "end, exclusive"),
    _c("label", TEXT, "标签", "label"),
)
CODEBOOK: Final = (
    _c("table", TEXT, "表", "table"),
    _c("column", TEXT, "列或维度", "column or scale"),
    _c("type", TEXT, "类型", "type"),
    _c("value", INTEGER, "取值", "value"),
    _c("zh", TEXT, "含义（中文）", "meaning (Chinese)"),
    _c("en", TEXT, "含义（英文）", "meaning (English)"),
)


def _scales(instrument: Instrument, *, level: str | None) -> Iterable[Column]:
    for scale in instrument.scales:
        if level is None or scale.level == level:
            yield Column(scale.id, INTEGER, scale.name.zh, scale.name.en)
