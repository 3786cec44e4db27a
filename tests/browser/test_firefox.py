"""Python in the page, in Firefox: an exercise, a figure that follows, controls, Stop. Skipped where there is none."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.browser import firefox
from tests.browser.test_python import RIGHT

STORY = """(async (right) => {
  const told = [], page = window.python;
  await page.load();
  const code = (cell) => cell.querySelector('.cell_input pre')?.textContent ?? '';
  const find = (text) => page.cells.findIndex((cell) => code(cell).includes(text));
  const output = (place) => page.cells[place].querySelector('.cell_output')?.textContent.trim() ?? '';
  const write = (place, text) => {
    page.edit(place);
    const area = page.cells[place].querySelector('.py-text');
    area.value = text(area.value);
    area.dispatchEvent(new Event('input'));
  };
  const exercise = find('check("adam"');
  write(exercise, () => right.replace('(1 - gamma**t)', '(1 - gamma)'));
  await page.run(exercise);
  told.push(output(exercise));
  write(exercise, () => right);
  await page.run(exercise);
  told.push(output(exercise));
  const figure = () => page.cells[find('Descent(')].querySelector('.fm-outcome').textContent;
  const before = figure();
  write(find('def adam('), (text) => text.replace('g**2', 'g**4'));
  await page.run(find('def adam('));
  told.push(figure() !== before);
  const draw = find('interact(');
  await page.run(draw);
  told.push(...['.py-controls input', 'img'].map((what) => page.cells[draw].querySelectorAll(what).length));
  const loop = find('check("adamw"');
  write(loop, () => 'while True: pass');
  const running = page.run(loop);
  await new Promise((done) => setTimeout(done, 1500));
  const begun = performance.now();
  await page.run(loop);
  await running;
  told.push(performance.now() - begun < 1000);
  write(loop, () => 'print(1 + 1)');
  await page.run(loop);
  told.push(output(loop));
  return told;
})"""


def test_a_chapter_in_firefox(strict_site, tmp_path):
    path = firefox.find()
    if path is None:
        pytest.skip("There is no Firefox here: on Debian, apt install firefox-esr.")
    said = []

    async def story():
        async with firefox.page(path, tmp_path, f"{strict_site}chapters/adam.html", said) as evaluate:
            return await evaluate(f"({STORY})({json.dumps(RIGHT)})", 300)

    with ThreadPoolExecutor(1) as pool:  # Playwright's loop runs in this thread
        told = pool.submit(asyncio.run, story()).result()
    wrong, solved, follows, controls, pictures, stopped, after = told
    assert wrong.startswith("✗ adam") and solved.startswith("✓ adam")
    assert follows and (controls, pictures) == (3, 1)
    assert stopped and after == "2"
    assert [text for text in said if not text.startswith("[PST]")] == []
