"""Text of figures that are read: Markdown as HTML, with mathematics that can be read without MathJax."""

import html
import re
import unicodedata
from functools import cache

NAMES = "cdot times le ge ne approx infty nabla to pm sum propto epsilon lvert rvert lVert rVert ldots ll gg"
SIGNS = dict(zip(NAMES.split(), "· × ≤ ≥ ≠ ≈ ∞ ∇ → ± Σ ∝ ε | | ‖ ‖ … ≪ ≫".split(), strict=True))
SIGNS["lambda"] = "λ"  # Unicode spells it LAMDA
WORDS = r"\\(?:text|mathrm|mathbf|left|right)(?![A-Za-z])"


def readable(tex):
    """Short TeX as HTML: Greek letters and signs, accents, indices, powers, fractions on one line."""
    text = re.sub(r"\\sqrt\{([^{}]*)\}", lambda m: f"√{_part(m[1])}", re.sub(WORDS, "", tex))
    text = re.sub(r"\\[td]?frac\{([^{}]*)\}\{([^{}]*)\}", lambda m: f"{_part(m[1])}/{_part(m[2])}", text)
    text = re.sub(r"\\hat ?\{?(\\?[A-Za-z]+)\}?", "\\1 \u0302", text)
    text = html.escape(re.sub(r"\\(?:[,;! ]|quad)", " ", text))
    text = re.sub(r"\\([A-Za-z]+)(?: (?=[a-z]))?", _sign, text)
    for mark, tag in {"_": "sub", "^": "sup"}.items():
        text = re.sub(rf"\{mark}(?:\{{([^{{}}]*)\}}|(.))", rf"<{tag}>\1\2</{tag}>", text)
    return re.sub(r"[{}\\]", "", text).replace(" \u0302", "\u0302").replace("-", "−")


def _part(text):
    """One side of a fraction, in brackets where it is more than a product."""
    return f"({text})" if re.search(r"[-+=]", text) else text


def _sign(match):
    name = match[1]
    size = "CAPITAL" if name[0].isupper() else "SMALL"
    try:
        return SIGNS.get(name) or unicodedata.lookup(f"GREEK {size} LETTER {name.upper()}")
    except KeyError:
        return name


def _formula(renderer, tokens, index, options, env):
    tex = tokens[index].content
    return f'<span class="fm-math" data-tex="{html.escape(tex)}">{readable(tex)}</span>'


@cache
def _markdown():
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    parser = MarkdownIt("commonmark", {"html": False})
    parser.use(dollarmath_plugin, allow_space=False, double_inline=True)
    for kind in ("math_inline", "math_inline_double", "math_block"):
        parser.add_render_rule(kind, _formula)
    return parser


def line(text):
    """One line of Markdown as HTML, without a paragraph around it."""
    return _markdown().renderInline(text).replace("\n", " ")


def page(text):
    """Paragraphs, lists, emphasis, code and mathematics in Markdown as HTML."""
    return _markdown().render(text).strip()


def plain(text):
    """What is left of a line of Markdown without its markup."""
    return html.unescape(re.sub(r"<[^>]*>", "", line(text)))


def said(name, text):
    """A text that is not empty, or `ValueError` with one sentence."""
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{name} is a text that is not empty; got {text!r:.60}")
    return text
