"""Every page of the built site, light and dark: silent, self-contained, accessible, no wider than a phone."""

import gzip
import re
from contextlib import suppress
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import TimeoutError

from tests.browser.setting import WCAG
from tools.book import SITE

FILES = {file.relative_to(SITE).as_posix(): file for file in SITE.rglob("*.html")}
PAGES = sorted(name for name in FILES if not name.startswith("_") and name != "index.html")
FIRST_THEME = """document.addEventListener("readystatechange", () => {
    window.firstTheme ??= document.documentElement.dataset.theme;
});"""
TAB_ORDER = """[...document.querySelectorAll("pre")].every(box =>
    box.tabIndex === 0 || box.scrollWidth <= box.clientWidth)"""
COLORS = ["color-contrast", "link-in-text-block"]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 780}


def pages(chosen):
    """Decorator: the test visits every one of these pages."""
    return pytest.mark.parametrize(
        "visit", [name for name in PAGES if name in chosen], indirect=True, scope="module"
    )


every_page = pages(PAGES)


class Visit:
    """A page opened in a fresh context, with what the browser said and asked for meanwhile."""

    def __init__(self, browser, address, theme="light"):
        self.errors, self.strays, self.answers = [], [], {}
        self.site = "{0.scheme}://{0.netloc}/".format(urlsplit(address))
        self.context = browser.new_context(viewport=DESKTOP, color_scheme=theme, reduced_motion="reduce")
        self.context.route(lambda url: not url.startswith(self.site), self.refuse)
        self.context.add_init_script(FIRST_THEME)
        self.page = self.context.new_page()
        self.page.on("console", self.note)
        self.page.on("pageerror", lambda error: self.errors.append(f"{error.name}: {error.message}"))
        self.page.on("websocket", lambda socket: self.strays.append(socket.url))
        self.page.on("response", lambda answer: self.answers.update({answer.url: answer.status}))
        self.page.goto(address)
        self.page.evaluate("window.MathJax?.startup?.promise")
        self.page.wait_for_load_state("networkidle")

    def note(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def refuse(self, route):
        self.strays.append(route.request.url)
        route.abort()

    def bright(self):
        """Whether the page is light."""
        paper = self.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return int(re.findall(r"\d+", paper)[0]) > 200

    def violations(self, rules):
        """What axe-core finds against rules or groups of rules: the rule, and the elements that break it."""
        self.page.evaluate(AXE_SCRIPT)
        options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False}
        found = self.page.evaluate("options => axe.run(options)", options)["violations"]
        return [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found]

    def too_wide(self):
        """The elements that reach beyond the right edge of the screen, but for those in boxes that scroll."""
        return self.page.evaluate(
            """() => {
                const clips = box => box && box !== document.body &&
                    (getComputedStyle(box).overflowX !== "visible" || clips(box.parentElement));
                const shown = box => getComputedStyle(box).visibility === "visible";
                const beyond = box => box.getBoundingClientRect().right > innerWidth + 0.5;
                const wide = [...document.querySelectorAll(".bd-main *")].filter(box =>
                    beyond(box) && shown(box) && !clips(box.parentElement));
                const page = document.documentElement.scrollWidth > innerWidth ? ["the page itself"] : [];
                return page.concat(wide.map(box => box.outerHTML.slice(0, 200)));
            }"""
        )


@pytest.fixture(scope="module")
def visit(request, browser, site):
    """The page at desktop width, light, opened once for all its tests."""
    visit = Visit(browser, site + request.param)
    yield visit
    visit.context.close()


def test_the_book_is_built():
    """And was so without a warning: only then its state is written down."""
    assert PAGES
    assert (SITE.parent / "state.json").exists()


@every_page
def test_a_page_is_silent(visit):
    """No error and no warning in the console, no file missing."""
    assert visit.errors == []
    assert [url for url, status in visit.answers.items() if status >= 400] == []


@every_page
def test_no_request_leaves_the_site(visit):
    assert visit.strays == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_has_its_theme(browser, site, theme):
    """The colors are those the reader's system asks for, before the theme's own script runs and after."""
    visit = Visit(browser, site + "chapters/intro.html", theme)
    themes = visit.page.evaluate("[window.firstTheme, document.documentElement.dataset.theme]")
    assert themes == [theme, theme]
    assert visit.bright() == (theme == "light")
    assert visit.errors == visit.strays == []
    visit.context.close()


@every_page
def test_mathematics_is_rendered(visit):
    broken = visit.page.evaluate(
        """() => [...document.querySelectorAll(".math")].filter(box =>
            !box.querySelector("mjx-container mjx-math") || box.querySelector("mjx-merror")
        ).map(box => box.outerHTML)"""
    )
    assert broken == []


@every_page
def test_pictures_have_alternative_text(visit):
    """Words, not the name of a file, which is what Sphinx writes where there is no text."""
    texts = visit.page.eval_on_selector_all("img", "images => images.map(image => image.alt)")
    assert [text for text in texts if not text.strip() or re.search(r"\.(png|svg|jpe?g)$", text)] == []


@every_page
def test_a_page_is_accessible(visit):
    """By all that axe-core checks of WCAG 2.2 AA; and in the dark once more, by all that looks at colors."""
    assert visit.bright()
    assert visit.violations(WCAG) == []
    visit.page.emulate_media(color_scheme="dark")
    try:
        visit.page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
        assert not visit.bright()
        assert visit.violations(COLORS) == []
        assert visit.errors == visit.strays == []
    finally:
        visit.page.emulate_media(color_scheme="light")


@every_page
def test_a_page_fits_a_phone(visit):
    """At 360 pixels nothing is wider than the screen, what scrolls does so by keyboard, targets are large."""
    visit.page.set_viewport_size(PHONE)
    try:
        with suppress(
            TimeoutError
        ):  # the theme puts code that scrolls into the tab order a while after the change
            visit.page.wait_for_function(TAB_ORDER, timeout=5000)
        assert visit.too_wide() == []
        assert visit.violations(["scrollable-region-focusable", "target-size"]) == []
    finally:
        visit.page.set_viewport_size(DESKTOP)


@every_page
def test_a_page_is_light(visit):
    """Scripts, styles and fonts, gzipped, are a third of those of Jupyter Book's default page, 1.3 MB."""
    paths = [url.removeprefix(visit.site) for url in visit.answers]
    assert sum(weight(path) for path in paths if path.startswith("_static/")) < 450_000


def weight(path):
    """The gzipped size of a file of the site; fonts and pictures are compressed already."""
    content = (SITE / unquote(urlsplit(path).path)).read_bytes()
    return len(content if re.search(r"\.(woff2?|png|jpe?g)(\?|$)", path) else gzip.compress(content))


CHANGED = """async (node) => {
  for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
  const inputs = [...node.querySelectorAll("input, textarea, select")];
  const before = node.shown;
  node.shown = node.innerHTML + inputs.map((input) => input.value + input.checked);
  return node.shown !== before;
}"""


def act(page, figure):
    """Do to the figure what its kind offers, by keyboard and pointer; yields the name of each act."""
    sliders, chips = figure.locator("input[type=range]"), figure.locator(".fm-chip")
    for i in range(sliders.count()):
        if sliders.nth(i).is_disabled():  # such as the seed while every batch holds all data
            continue
        sliders.nth(i).press("Home" if sliders.nth(i).input_value() != "0" else "End")
        yield f"slider {i}"
    if chips.count():
        chips.first.press("Enter")
        yield "legend"
        chips.first.press("Enter")
    handle = figure.locator(".fm-hit").first
    if figure.get_attribute("data-kind") == "descent":
        handle.press("ArrowUp")
        yield "key"
        handle.scroll_into_view_if_needed()
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + (15 if x < 640 else -15), y + 12, steps=3)
        page.mouse.up()
        yield "drag"
    if figure.get_attribute("data-kind") == "quiz":
        if figure.locator(".fm-option").count():
            figure.locator(".fm-option").first.click()
        else:
            figure.locator("input").first.fill("123")
            figure.locator("input").first.press("Enter")
        yield "answer"
    if figure.get_attribute("data-kind") == "answer":
        figure.locator("textarea").fill("what I think")
        yield "text"


@pages([name for name in PAGES if 'class="fm-figure"' in FILES[name].read_text()])
def test_every_figure_is_drawn_and_answers(visit):
    """To every slider, to its legend, to key and hand, or to an answer."""
    figures = visit.page.locator(".fm-figure")
    assert figures.count() > 0
    for i in range(figures.count()):
        figure, acts = figures.nth(i), 0
        figure.scroll_into_view_if_needed()
        figure.locator(".fm").first.wait_for()
        figure.evaluate(CHANGED)
        for what in act(visit.page, figure):
            assert figure.evaluate(CHANGED), f"figure {i + 1} does not answer to its {what}"
            acts += 1
        assert acts, f"figure {i + 1} offers nothing to do"
    assert visit.errors == []


class Links(HTMLParser):
    """The links of a page and the anchors it has, its figures among them."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.figures = set(), {"", "top"}, 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.figures += "fm-figure" in (attributes.get("class") or "").split()
        self.anchors |= {attributes.get("id"), f"figure={self.figures}"}
        self.links |= {attributes[name] for name in ("href", "src") if attributes.get(name)}


def test_links_within_the_site_resolve():
    """Every relative link of every page leads to a file, and every fragment to an element of that file."""
    pages = {name: Links(file.read_text(encoding="utf-8")) for name, file in FILES.items()}
    dead = []
    for name, page in pages.items():
        for link in page.links:
            target = urlsplit(urljoin(name, link))
            if target.scheme or target.netloc:
                continue
            path, fragment = unquote(target.path), unquote(target.fragment)
            anchors = pages[path].anchors if path in pages else {""}
            if not (SITE / path).is_file() or fragment.split("&")[0] not in anchors:
                dead.append((name, link))
    assert dead == []


def test_search_finds_a_word(browser, site):
    """And quotes the article around it, not the buttons of its page."""
    visit = Visit(browser, f"{site}search.html?q=gradient")
    visit.page.wait_for_selector("#search-results li p.context")
    quotes = visit.page.locator("#search-results li p.context").all_inner_texts()
    assert any("gradient" in quote.lower() for quote in quotes)
    assert [quote for quote in quotes if ".ipynb" in quote] == []
    assert visit.errors == visit.strays == []
    visit.context.close()


def test_without_javascript_a_page_is_readable(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site + "chapters/intro.html")
    assert page.locator("article h1").inner_text()
    color = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--book-paper')")
    assert color.strip() == "#ffffff"
    context.close()
