"""The HTML report in a real browser: drag, wheel, keys, and what it says."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from judges import judge
from report_content import content
from selenium import webdriver
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from operators.report.html import page_html
from operators.report.plots import plots_png

pytestmark = pytest.mark.slow
IMAGES = 5
SECONDS = 60.0  # a busy machine may take for what a quiet one does at once
DRAWN = """return !window.left && document.readyState === 'complete'
    && document.images.length && [...document.images].every(image => image.complete && image.naturalWidth > 0)"""


@pytest.fixture(scope="module")
def text() -> str:
    shown = content(images=IMAGES)
    return page_html(shown, plots_png(shown))


@pytest.fixture(scope="module")
def browser(text: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Headless chromium, and the page lying in a folder of its own."""
    driver_path, program = judge("chromedriver", "chromium-driver"), judge("chromium", "chromium")
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(text, encoding="utf-8")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1200,1600",
    ):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, webdriver.ChromeService(driver_path))
    yield driver, file.as_uri()
    driver.quit()


@pytest.fixture
def page(browser: Any) -> Any:
    """The page opened anew: a busy browser says that it is loaded while the one before it still stands or none does."""
    driver, address = browser
    driver.execute_script("window.left = true")
    driver.get(address)
    wait_for(driver, DRAWN)
    return driver


def wait_for(driver: Any, condition: str) -> None:
    """Wait until a script returns what is true."""
    WebDriverWait(driver, SECONDS).until(lambda _: driver.execute_script(condition), f"not so: {condition}")


def find(page: Any, selector: str) -> Any:
    return page.find_element("css selector", selector)


def shown(page: Any) -> list[str]:
    pairs = page.find_elements("css selector", ".pair")
    return [pair.get_attribute("data-caption") for pair in pairs if pair.is_displayed()]


def clipped(page: Any) -> float:
    """Percent of the width in which the image after is cut away."""
    style = find(page, ".pair:not([hidden]) .after").value_of_css_property("clip-path")
    return float(re.search(r"([\d.]+)%", style)[1])


def actions(page: Any) -> Any:
    return webdriver.ActionChains(page)


def start(page: Any) -> int:
    """Move to the image in the middle; its number."""
    page.execute_script("scroller.value = 2; showImage();")
    return 3


def test_it_opens_on_the_image_with_the_most_structure_with_every_picture_drawn(page: Any) -> None:
    assert shown(page) == [f"slice {content(images=IMAGES).shown.number} of 5"]
    script = "return [...document.images].every(i => i.complete && i.naturalWidth > 0)"
    assert page.execute_script(script)


def test_dragging_moves_the_line(page: Any) -> None:
    assert clipped(page) == 50
    viewer = find(page, "#viewer")
    actions(page).move_to_element(viewer).click_and_hold().move_by_offset(
        -viewer.size["width"] // 4, 0
    ).release().perform()
    assert clipped(page) == pytest.approx(25, abs=1)
    actions(page).move_by_offset(40, 0).perform()
    assert clipped(page) == pytest.approx(25, abs=1), "it moves without a button held"


def test_the_line_parts_before_from_after(page: Any) -> None:
    """Left of the line stands the image before, right of it the image after, in one place."""
    script = """return [...document.querySelectorAll('.pair:not([hidden]) img')].map(i => {
        const b = i.getBoundingClientRect(); return [i.className, b.left, b.top, b.width, b.height]; })"""
    (first, *place), (second, *same) = page.execute_script(script)
    assert (first, second) == ("before", "after")
    assert place == same


@pytest.mark.parametrize(("turn", "expected"), [(120, "slice 4 of 5"), (-120, "slice 2 of 5")])
def test_the_wheel_scrolls_the_slices_and_not_the_page(page: Any, turn: int, expected: str) -> None:
    start(page)
    actions(page).scroll_from_origin(ScrollOrigin.from_element(find(page, "#viewer")), 0, turn).perform()
    assert shown(page) == [expected]
    assert page.execute_script("return scrollY") == 0
    assert find(page, "#caption").text == expected


def test_what_was_removed_scrolls_along_and_by_itself(page: Any) -> None:
    start(page)
    seen = "return [...document.querySelectorAll('.removed')].filter(i => i.offsetParent).map(i => i.alt)"
    assert page.execute_script(seen) == ["Removed, slice 3"]
    viewer = find(page, "#removed-viewer")
    actions(page).scroll_from_origin(ScrollOrigin.from_element(viewer), 0, 120).perform()
    assert page.execute_script(seen) == ["Removed, slice 4"]
    assert shown(page) == ["slice 4 of 5"]
    viewer.send_keys(Keys.ARROW_UP, Keys.ARROW_UP)
    assert page.execute_script(seen) == ["Removed, slice 2"]


def test_keys_alone_do_all_of_it(page: Any) -> None:
    start(page)
    actions(page).send_keys(Keys.TAB).perform()
    assert page.switch_to.active_element.get_attribute("id") == "viewer"
    actions(page).send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_LEFT).perform()
    assert shown(page) == ["slice 5 of 5"], "it stops at the last"
    assert clipped(page) == 45
    actions(page).send_keys(Keys.TAB, Keys.END).perform()
    assert clipped(page) == 100
    actions(page).send_keys(Keys.TAB, Keys.HOME).perform()
    assert shown(page) == ["slice 1 of 5"]


def test_figures_checks_and_limits_are_text(page: Any) -> None:
    text = find(page, "body").text
    for words in (
        "noise in homogeneous tissue",
        "HU",
        "mean bias",
        "-0.02 HU",
        "limit",
        "failed",
        "passed",
        "Not for:",
    ):
        assert words in text
    rows = page.find_elements("css selector", "#check-table tbody tr")
    results = [row.find_elements("css selector", "td")[-1].text for row in rows]
    assert results == ["passed", "passed", "failed", "not measured"]
    assert [cell.text for cell in rows[1].find_elements("css selector", "td")[:3]] == ["-3 HU", "-0.4 HU", "1 HU"]


def test_a_patient_s_text_stays_text(page: Any) -> None:
    assert "<b>&" in find(page, "body").text


def test_nothing_is_asked_of_the_network_and_nothing_is_wrong(page: Any) -> None:
    assert (
        page.execute_script("return performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:'))")
        == []
    )
    assert page.get_log("browser") == []


def test_scripts_of_others_do_not_run(page: Any) -> None:
    page.execute_script("const s = document.createElement('script'); s.textContent = 'window.foreign = 1';"
                        "document.body.append(s); document.body.insertAdjacentHTML('beforeend',"
                        "'<img src=\"https://example.org/x.png\" onerror=\"window.foreign = 1\">')")  # fmt: skip
    assert page.execute_script("return window.foreign") is None
    assert any("Content Security Policy" in line["message"] for line in page.get_log("browser"))


def test_everything_has_a_name_for_those_who_listen(page: Any) -> None:
    assert all(image.get_attribute("alt") for image in page.find_elements("css selector", "img"))
    for control in page.find_elements("css selector", "input"):
        assert control.accessible_name
        assert control.get_attribute("aria-valuetext")
    assert find(page, "#viewer").accessible_name


def test_words_stand_out_from_their_ground(page: Any) -> None:
    """WCAG 2.1, 1.4.3: a contrast of 4.5 at least."""
    colours = page.execute_script("return [...document.querySelectorAll('p, th, td, label, h1, h2, output')]"
                                  ".map(e => getComputedStyle(e).color)")  # fmt: skip
    assert min(contrast_with_white(colour) for colour in colours) >= 4.5


def contrast_with_white(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def test_a_narrow_screen_has_no_sideways_scroll(page: Any) -> None:
    wide = page.execute_script("return innerWidth")
    page.set_window_size(420, 900)
    try:
        wait_for(page, f"return innerWidth < {wide}")
        assert page.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    finally:
        page.set_window_size(1200, 1600)
        wait_for(page, f"return innerWidth == {wide}")


def test_the_file_names_no_file_and_no_host(text: str) -> None:
    assert not re.findall(r"(?:https?:)?//[a-z]", re.sub(r"base64,[^\"]*", "", text))
