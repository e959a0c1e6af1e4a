"""Texts and instruments the sheet is tried with: written for these tests, nobody's real words."""

import tomllib
from pathlib import Path
from typing import Final

INSTRUMENTS: Final = Path(__file__).parents[2] / "cbt_core" / "instruments"

Json = dict[str, object]

QUESTION: Final = {
    "zh": "搬到新城市半年，还是一个朋友也没有，是不是我这个人有问题？",
    "en": "Half a year in a new city and still not one friend. Is something wrong with me?",
}

DESCRIPTION: Final = {
    "zh": "换工作以后搬到这里，平时除了同事打招呼，几乎没有人和我说话。上周聚餐时大家聊得很热闹，"
    "我坐在角落里插不上嘴，回家路上一直想：他们一定觉得我很无趣，以后也不会再叫我了。"
    "周末我干脆不出门，越待越闷，也越来越怕见人。",
    "en": "I moved here for a new job. Apart from colleagues saying hello, hardly anyone talks to me. "
    "At last week's dinner everybody chatted and I sat in the corner without a word to add. On the way "
    "home I kept thinking: they must find me dull and will not ask me again. At weekends I stay in.",
}

STRUCTURED: Final = {
    "zh": "搬到陌生的城市，身边没有一个可以说话的人，热闹散去以后的那段回家路一定格外长。半年里您独自撑过了"
    "换工作、安家这些大事，觉得孤单是很自然的，并不说明您这个人有问题。\n我注意到，您从“插不上嘴”想到了“他们"
    "一定觉得我无趣”，又想到“以后不会再叫我”。这更像是一个推测，而不是已经发生的事。不妨回想一下：聚餐时有没"
    "有人朝您笑过、问过一句话？坐在角落里的人，您自己会认为他无趣吗？如果换成一位刚来的同事，您会怎样看他？\n"
    "接下来可以试一个小实验：这周挑一位相处起来最轻松的同事，午休时问一件具体的小事，比如附近哪里吃饭方便，"
    "事先写下您担心会怎样，事后再写下实际怎样。周末也可以安排一次时间不长、有事可做的外出，例如去图书馆坐一小时，"
    "先不要求自己认识谁。\n慢慢来就好，朋友往往是在一次次平常的照面里熟起来的。您愿意把这些写出来，已经迈出了"
    "不容易的一步。如果怕见人的感觉持续几周、影响到工作和睡眠，也欢迎找专业人员谈一谈。",
    "en": "Moving to a strange city without anyone to talk to must make the way home after a noisy dinner very "
    "long. You have carried a new job and a new home on your own for half a year; feeling lonely is natural and "
    "does not mean that something is wrong with you.\nI notice a step from “I had nothing to add” to “they must "
    "find me dull”, and on to “they will not ask me again”. That is a guess rather than something that has "
    "happened. Did anybody smile at you that evening, or ask you a question? Would you think a quiet new "
    "colleague dull?\nYou could try a small experiment this week: ask the colleague you feel easiest with one "
    "concrete thing over lunch. Write down beforehand what you fear, and afterwards what happened. At the "
    "weekend, go out once for an hour with something to do, without asking yourself to meet anyone.\nTake your "
    "time: people mostly become friends through many ordinary meetings. Writing this was a step already.",
}

PLAIN: Final = {
    "zh": "其实很多人到了新的城市都会这样，不用太担心，时间长了自然就会好起来。您可以多参加一些活动，比如健身、"
    "读书会、志愿服务，或者在网上找一找同城的兴趣小组，认识的人多了，总会遇到合得来的朋友。聚餐的时候不要总坐在"
    "角落，主动一点，多笑一笑，找些大家都感兴趣的话题，比如最近的电影、美食和旅行，慢慢就能聊到一起了。\n平时也"
    "要注意打扮得精神一些，保持良好的形象，别人自然愿意接近您。周末千万别一个人闷在家里，越闷越不想动，出去晒晒"
    "太阳、跑跑步，心情马上就不一样了。还可以养一只小猫或者小狗，有它陪着就不会那么孤单，遛狗的时候也容易认识邻居。\n"
    "最重要的是要相信自己，每个人都有自己的优点，您一定也有很多值得别人喜欢的地方，不要总往坏处想。把精力放在工作"
    "上，做出成绩来，同事们自然会对您刮目相看。实在难受的时候就给家里人或者老朋友打个电话，说一说心里话。人生的路"
    "还很长，现在的寂寞只是暂时的，等您熬过这一段，回头再看就会觉得没什么大不了。加油，祝您早日找到知心的朋友！👍🏽",
    "en": "Many people feel like this in a new city, so do not worry too much: with time it gets better by itself. "
    "Join some activities, the gym, a book club, volunteering, or look for a group nearby on the internet. The "
    "more people you meet, the more likely you find somebody you get on with. At dinners do not sit in the corner; "
    "be a little more active, smile, and find topics everyone likes, such as films, food and travel.\nDress well "
    "and keep up a good appearance, and people will want to be near you. Do not stay in at weekends: go out, get "
    "some sun, run a little, and your mood will change at once. You could also get a cat or a dog.\nMost of all "
    "believe in yourself. Everybody has strengths, so do not always think of the worst. Put your energy into your "
    "work and your colleagues will look at you with new eyes. The loneliness of today is only for a time. 👍🏽",
}

LONGER: Final = {
    "zh": "\n再说得具体一些。第一周只做一件事：每天记下一次与人有关的小事，写三栏，发生了什么，当时脑子里闪过什么"
    "念头，还有没有别的解释。不求写得好，三五句就够。第二周在记录的基础上挑一个念头来检验，例如“我开口别人会烦”，"
    "约定自己开口一次，再看看对方的反应与预想差多少。第三周把外出的时间从一小时延长到半天，尽量安排在固定的时间和"
    "地点，因为熟悉感来自重复。每周日晚上花十分钟回看，留意哪怕很小的变化，比如一次点头、一句“你也在这里”。",
    "en": "\nTo be more concrete. In the first week do one thing only: note one small event with another person each "
    "day in three columns, what happened, which thought crossed your mind, and what else could explain it. In the "
    "second week choose one of these thoughts and test it once. In the third week stretch the outing from an hour "
    "to half a day, at a fixed time and place, since familiarity grows from repetition.",
}


def answer(lang: str, *, structured: bool, characters: int) -> str:
    """Return an answer of about the given length."""
    text = (STRUCTURED if structured else PLAIN)[lang]
    while len(text) < characters:
        text += LONGER[lang]
    return text[:characters] if len(text) > characters + 60 else text


def scales(name: str, lang: str, *, level: str = "answer") -> list[Json]:
    """Return the scales of a shipped instrument as the sheet receives them."""
    read = tomllib.loads((INSTRUMENTS / f"{name}.toml").read_text("utf-8"))
    return [_scale(one, lang, level) for one in read["scales"]]


def nominal(lang: str, *, level: str = "answer") -> Json:
    """Return a yes / no / unsure question: values are names, not numbers."""
    words = {"zh": ("是", "否", "不确定"), "en": ("Yes", "No", "Unsure")}[lang]
    values = [{"value": n, "label": word, "anchor": ""} for n, word in enumerate(words, 1)]
    name = {"zh": "适合直接发送", "en": "Fit to send"}[lang]
    question = {"zh": "这个回答可以原样发给提问者吗？", "en": "Could it be sent as it is?"}[lang]
    return {"id": "fit", "level": level, "required": True, "cannot_rate": False, "name": name,
            "question": question, "values": values}


def steps(lang: str, when: str) -> Json:
    """Return the checklist of the shipped instrument."""
    read = tomllib.loads((INSTRUMENTS / "cbt-3.toml").read_text("utf-8"))
    return {
        "when": when, "name": "",
        "steps": [
            {"id": one["id"], "name": one["name"][lang], "definition": one["definition"][lang]}
            for one in read["steps"]
        ],
        "values": [
            {"value": one["value"], "label": one["label"][lang], "anchor": one["anchor"][lang]}
            for one in read["step_values"]
        ],
    }


def lists(lang: str) -> Json:
    """Return the lists of flag kinds, severities and reasons to skip."""
    read = tomllib.loads((INSTRUMENTS / "defaults.toml").read_text("utf-8"))
    return {
        name: [{"id": one["id"], "name": one["name"][lang]} for one in read[name]]
        for name in ("flag_kinds", "severities", "skip_reasons")
    }


def default_text(name: str, lang: str) -> str:
    """Return a default text of a study, such as its support text."""
    read = tomllib.loads((INSTRUMENTS / "defaults.toml").read_text("utf-8"))
    return str(read[name][lang])


def _scale(read: dict[str, object], lang: str, level: str) -> Json:
    def word(text: object) -> str:
        return str(text[lang]) if isinstance(text, dict) else str(text)

    values = read["values"]
    if not isinstance(values, list):
        raise TypeError("values of a scale are a list")
    return {
        "id": read["id"], "level": level, "required": read["required"],
        "cannot_rate": read["cannot_rate"], "name": word(read["name"]),
        "question": word(read["question"]),
        "values": [
            {"value": one["value"], "label": word(one["label"]), "anchor": word(one["anchor"])}
            for one in values
        ],
    }
