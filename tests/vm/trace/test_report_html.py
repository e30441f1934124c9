# SPDX-License-Identifier: GPL-2.0-only
"""The HTML page of a real recording, in a real browser. tests/unit/html_test.cpp has its escaping."""

import subprocess

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

import tool
from browser import Browser, contrast
from harness import image
from report_page import column, heading, other_page, phase_pixels, recorded, task, view, whole_view

kernels = ["6.12"]
guest_options = {"load": ["lr_referee"]}

HOSTILE = "</script><script>document.title = 'owned'</script>"
TAGS = "<img src=x onerror=alert(1)>"
# A name that is not loaded, and a process with tags and a byte that is no UTF-8 in its name, which
# puts the last reference.
HOSTILE_STORY = f"""
    busybox rmmod '{TAGS}'
    insmod /root/modules/lr_file.ko
    bash -c 'printf "</script>\\377<!--\\"" > /proc/self/comm
             exec 5< /dev/lr_file; rmmod lr_file; busybox sleep 0.4; exec 5<&-'
    busybox sleep 0.5
    sh story.sh
"""


def here(*arguments):
    """lastref on this machine; the recording has unloads that are pending."""
    done = subprocess.run([image.lastref_binary(), *map(str, arguments)], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=60)
    assert done.returncode in (tool.OUTSTANDING, tool.EXIT_RUNNING, tool.FAILED), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def recording(guest, tmp_path_factory):
    guest.put("/root/hostile.sh", HOSTILE_STORY)
    file = tmp_path_factory.mktemp("recording") / "story"
    file.write_bytes(recorded(guest, "sh", "hostile.sh", HOSTILE))
    return file


@pytest.fixture(scope="module")
def report(recording):
    return tool.parse(here("report", "-j", recording))


@pytest.fixture(scope="module")
def page(recording):
    file = recording.with_suffix(".html")
    file.write_text(here("report", "--format=html", recording), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def browser(chromium, page):
    """With the page open; it has nothing to complain of, and asks nobody."""
    chromium.open(page)
    yield chromium
    assert chromium.complaints() == []
    assert [url for url in chromium.requests() if url != f"file://{page}"] == []


def test_the_story_has_everything(report):
    """The control of what follows: else it might compare nothing."""
    outcomes = [unload["outcome"] for unload in report["unloads"]]
    assert sorted(outcomes) == sorted(["freed"] * 6 + ["refused"] * 2 + ["waiting", "exit_running"])
    assert TAGS in [unload["module"] for unload in report["unloads"]]
    assert any(put["comm"] == '</script>\\xff<!--"' for unload in report["unloads"]
               for put in unload["puts"])
    assert HOSTILE in report["command"]


def test_the_unloads_are_those_of_the_json(browser, report):
    rows = browser.table("#unload-table")
    assert len(rows) == len(report["unloads"])
    for row, unload in zip(rows, report["unloads"]):
        assert row["Module"] == unload["module"]
        assert row["Outcome"] == unload["outcome"].replace("_", " ")
        assert row["Requested by"] == task(unload["requested_by"])
        assert row["What happened"].startswith(unload["verdict"])
        if unload["outcome"] == "freed" and unload["free_delay_ns"]:
            # The sentence was made by lastref, the cell by the page.
            assert f"freed {row['Free delay']} after" in unload["verdict"]
        if unload["outcome"] == "waiting":
            assert row["Free delay"].removeprefix("≥ ") in unload["verdict"]
            assert row["Soft refs"] == "3 of 3 left"
        if unload["outcome"] == "exit_running":
            assert row["Exit routine"].removeprefix("≥ ") in unload["verdict"]


def test_the_references_are_those_of_the_json(browser, recording):
    refs = tool.parse(here("refs", "-j", "--replay", recording))
    sites = [(module["module"], site) for module in refs["modules"] for site in module["call_sites"]]
    assert len(sites) >= 3
    rows = browser.table("#refs-table")
    assert len(rows) == len(sites)
    for row, (module, site) in zip(rows, sites):
        assert (row["Module"], row["Kind"], row["Count"]) == (module, site["kind"], str(site["count"]))
        assert row["Call site"] == site["call_site"] + "".join(site["stack"][1:])
        bounds = [site.get("outstanding_min"), site.get("outstanding_max")]
        assert row["Outstanding"] == ("" if site["kind"] == "put" else "{}–{}".format(*bounds))
    assert "lr_leak: soft refs 3: explained 3, unexplained 0" in browser.text("#refs-summary")


def test_the_chosen_unload_is_told_in_full(browser, report):
    for number, unload in enumerate(report["unloads"]):
        browser.all("#unload-table button.module")[number].click()
        assert browser.text("#chosen-title").startswith(unload["module"])
        assert unload["verdict"] in browser.text("#chosen-body")
        tables = browser.run("return document.querySelectorAll('#chosen table').length")
        assert tables == bool(unload["phases"]) + bool(unload["puts"])
        phases = browser.table("#chosen .scroll:has([data-name=Took])")
        assert [row["Phase"].removesuffix(" (so far)") for row in phases] == \
            [phase["name"].replace("_", " ") for phase in unload["phases"]]
        puts = browser.table("#chosen .scroll:has([data-name=Left])")
        assert [(row["Call site"], row["Left"]) for row in puts] == \
            [(put["call_site"], str(put["outstanding"])) for put in unload["puts"]]
        assert all(row["Put by"].endswith(task(put)) for row, put in zip(puts, unload["puts"]))


def test_it_begins_with_what_hangs(browser):
    assert browser.text("#chosen-title").startswith("lr_hang")


def test_a_heading_sorts(browser, report):
    known = sorted((u["free_delay_ns"] for u in report["unloads"] if u["free_delay_ns"] is not None))
    names = {u["free_delay_ns"]: u["module"] for u in report["unloads"]}
    heading(browser, "Free delay").click()
    assert column(browser, "Module")[:len(known)] == [names[ns] for ns in reversed(known)]
    assert set(column(browser, "Free delay")[len(known):]) == {"–"}
    # The keyboard does the same, and what is not known stays at the end.
    heading(browser, "Free delay").send_keys(Keys.ENTER)
    assert column(browser, "Module")[:len(known)] == [names[ns] for ns in known]
    assert set(column(browser, "Free delay")[len(known):]) == {"–"}
    sorts = browser.run("return [...document.querySelectorAll('#unload-table thead th')]"
                        ".map((th) => th.getAttribute('aria-sort'))")
    assert (sorts.count("ascending"), sorts.count("none")) == (1, len(sorts) - 1)
    heading(browser, "Module").click()
    assert column(browser, "Module") == sorted(column(browser, "Module"))
    heading(browser, "Count", "#refs-table").click()
    counts = [int(count) for count in column(browser, "Count", "#refs-table")]
    assert counts == sorted(counts, reverse=True) and len(set(counts)) > 1


def test_search(browser, report):
    browser.press("/")
    browser.press("lr_put_C")  # a call site, of one unload
    assert column(browser, "Module") == ["lr_refs"]
    assert browser.text("#found") == f"1 of {len(report['unloads'])} unloads, 0 of 3 call sites"
    assert browser.find("#timeline canvas").size["height"] < 100
    browser.press(Keys.ESCAPE)
    assert len(column(browser, "Module")) == len(report["unloads"])
    browser.press("leak waiting")
    assert column(browser, "Module") == ["lr_leak"]
    browser.press(Keys.ESCAPE, "no such thing")
    assert (column(browser, "Module"), browser.all("#timeline canvas")) == ([], [])


def test_the_bars_are_where_the_phases_were(browser, report):
    drawn = list(phase_pixels(browser, report))
    colors = {"exit_routine": "exit_routine", "waiting": "staircase", "grace_period": "grace_period"}
    assert {phase["name"] for _, phase, _ in drawn} >= {"exit_routine", "waiting"}
    for unload, phase, pixel in drawn:
        color = browser.style(colors.get(phase["name"], "kernel"))
        assert pixel == color, f"{unload['module']} {phase['name']}"
    # High up in the wait of lr_threads half of its references are gone, of lr_leak none.
    high = {unload["module"]: pixel for unload, phase, pixel in phase_pixels(browser, report, 0.25)
            if phase["name"] == "waiting"}
    assert high["lr_threads"] == browser.style("waiting")
    assert high["lr_leak"] == browser.style("staircase")


def test_the_key_has_what_is_drawn_and_nothing_else(browser, chromium, page, tmp_path):
    told = browser.run("return [...document.querySelectorAll('#key li')].map((one) => one.textContent)")
    assert {"exit routine", "grace period", "refused", "rmmod returned"} <= set(told)
    assert "another phase is in it" not in told

    def change(data):
        data["report"]["unloads"][0]["phases"][0]["extent"] = "merged"

    chromium.open(other_page(page, tmp_path, change))
    assert "another phase is in it" in chromium.text("#key")
    chromium.open(page)


def test_zoom_and_choice_by_keyboard(browser, report):
    browser.find("#timeline").send_keys("")
    whole = view(browser)
    begin, length = whole_view(report)
    assert whole[1] - whole[0] == pytest.approx(length / 1e9, rel=0.05)
    browser.press("+")
    inside = view(browser)
    assert inside[1] - inside[0] == pytest.approx(length / 2e9, rel=0.05)
    browser.press(Keys.ARROW_RIGHT)
    assert view(browser)[0] > inside[0]
    browser.press("0")
    assert view(browser) == whole
    browser.press(Keys.ARROW_UP)  # from lr_hang, the last
    assert browser.text("#chosen-title").startswith("lr_leak")
    for _ in report["unloads"]:
        browser.press(Keys.ARROW_UP)
    assert browser.text("#chosen-title").startswith(TAGS)
    browser.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert browser.text("#chosen-title").startswith("lr_threads")
    browser.press(Keys.ENTER)
    threads, = [unload for unload in report["unloads"] if unload["module"] == "lr_threads"]
    took = sum(phase["duration_ns"] for phase in threads["phases"]) / 1e9
    now = view(browser)
    assert now[1] - now[0] == pytest.approx(took * 1.04, rel=0.05)


def test_zoom_by_mouse(browser):
    whole = view(browser)
    over = browser.find("#timeline .u-over")
    ActionChains(browser.driver).move_to_element_with_offset(over, -100, 0).click_and_hold() \
        .move_by_offset(200, 0).release().perform()
    share = 200 / over.size["width"]
    assert view(browser)[1] - view(browser)[0] == pytest.approx((whole[1] - whole[0]) * share, rel=0.1)
    assert browser.text("#chosen-title").startswith("lr_hang")  # a drag is no click
    ActionChains(browser.driver).double_click(over).perform()
    assert view(browser) == whole
    for button, narrower in (("in", True), ("out", False)):
        browser.find(f"[data-zoom={button}]").click()
        assert (view(browser)[1] - view(browser)[0] < (whole[1] - whole[0]) * 0.6) == narrower
    # A click on a lane chooses it.
    ActionChains(browser.driver).move_to_element_with_offset(
        over, 0, -over.size["height"] // 2 + 10).click().perform()
    assert browser.text("#chosen-title").startswith(TAGS)
    assert TAGS in browser.text("#timeline .tip")


TEXT = [("text", "page"), ("muted", "page"), ("link", "page"), ("text", "panel"), ("muted", "panel"),
        ("good", "good-bg"), ("wait", "wait-bg"), ("bad", "bad-bg"), ("text", "plain-bg"),
        ("text", "chosen"), ("link", "chosen")]


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark(browser, dark):
    browser.look(dark=dark)
    paper, ink = browser.css("body", "backgroundColor"), browser.css("body", "color")
    assert (sum(paper) < sum(ink)) == dark
    for front, behind in TEXT:
        assert contrast(browser.style(front), browser.style(behind)) >= 4.5, (front, behind)
    browser.look(dark=not dark)
    assert browser.css("body", "backgroundColor") != paper


def test_the_chart_follows_the_colours(browser, report):
    browser.look(dark=True)
    dark = browser.style("exit_routine")
    assert dark in [pixel for _, _, pixel in phase_pixels(browser, report)]
    browser.look(dark=False)
    assert browser.style("exit_routine") != dark
    assert browser.style("exit_routine") in [pixel for _, _, pixel in phase_pixels(browser, report)]


def test_print(browser):
    browser.look(dark=True, media="print")
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert browser.css("body", "backgroundColor") == (255, 255, 255)
    assert browser.css("body", "color") < (64, 64, 64)
    for gone in (".search", ".buttons", "#timeline-help"):
        assert not browser.find(gone).is_displayed()
    assert browser.find("#unload-table").is_displayed()
    # Paper is narrower than the window for which the chart was drawn, and nothing draws it again.
    assert browser.run("""
        const chart = document.querySelector("#timeline");
        chart.style.width = "600px";
        return chart.querySelector("canvas").getBoundingClientRect().width""") <= 600
    browser.run("dispatchEvent(new Event('afterprint'))")
    assert browser.pdf().startswith(b"%PDF-")
    browser.look(dark=True)
    assert browser.find(".search").is_displayed()
    assert sum(browser.css("body", "backgroundColor")) < 200


@pytest.mark.parametrize("width", [320, 400, 768, 1280])
def test_nothing_is_wider_than_the_window(browser, width):
    browser.look(width=width)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    drawn = browser.find("#timeline canvas").size["width"]
    assert width * 0.7 < drawn <= width


def test_hostile_names_are_text(browser, report):
    assert "owned" not in browser.driver.title
    assert browser.run("return [document.scripts.length, document.images.length]") == [3, 0]
    assert HOSTILE in browser.text("#about")


def test_what_cannot_be_seen_is_told(chromium, page, tmp_path):
    def change(data):
        data["report"]["unloads"][0]["module"] = "a\u202eb\x1b\nc\u2028"

    chromium.open(other_page(page, tmp_path, change))
    assert column(chromium, "Module")[0] == "a\\u{202e}b\\u{001b}\\u{000a}c\\u{2028}"


def test_what_is_missing_is_told(browser, chromium, page, tmp_path, recording):
    assert not browser.find("#warnings").is_displayed()
    cut = tmp_path / "cut"
    cut.write_bytes(recording.read_bytes()[:recording.stat().st_size // 2])
    file = tmp_path / "cut.html"
    file.write_text(here("report", "--format=html", cut), encoding="utf-8")
    chromium.open(file)
    assert chromium.find("#warnings").is_displayed()
    assert "is damaged at byte" in chromium.text("#warnings")

    def change(data):
        data["warnings"] = ["Lost: 7 events (the ring buffer was full)."]
        data["report"]["unloads"][0] |= {"complete": False, "incomplete": ["puts were not seen"]}

    chromium.open(other_page(page, tmp_path, change))
    assert "Lost: 7 events" in chromium.text("#warnings")
    assert "Incomplete" in column(chromium, "What happened")[0]
    chromium.find("#unload-table button.module").click()
    assert "Incomplete: puts were not seen." in chromium.text("#chosen-body")
    chromium.open(page)


def test_many_unloads(chromium, page, tmp_path):
    def change(data):
        data["report"]["unloads"] *= 40
        data["shown"] *= 40

    chromium.open(other_page(page, tmp_path, change))
    assert len(column(chromium, "Module")) == 400
    assert "The first 100 of 400" in chromium.text("#timeline-note")
    assert chromium.complaints() == []


def test_no_unload(chromium, page, tmp_path):
    def change(data):
        data["report"]["unloads"] = data["shown"] = data["refs"]["modules"] = []

    chromium.open(other_page(page, tmp_path, change))
    assert not chromium.find("#chosen").is_displayed()
    assert not chromium.find("#timeline").is_displayed()
    assert chromium.complaints() == []


def test_whoever_cannot_see_it(browser):
    """Names and roles, as assistive technology is told them."""
    nodes = browser.command("Accessibility.getFullAXTree")["nodes"]
    roles = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes
             if not node["ignored"]]
    assert [role for role in roles if role[0] in ("button", "searchbox", "table") and not role[1]] == []
    names = dict.fromkeys(roles)
    for role in (("button", "Zoom in"), ("searchbox", "Search"), ("table", "Unloads"),
                 ("group", "Timeline"), ("columnheader", "Free delay")):
        assert role in names, role
    levels = browser.run("return [...document.querySelectorAll('h1, h2, h3')].map((h) => +h.tagName[1])")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:]))
    browser.look(width=400)  # as cards, too
    nodes = browser.command("Accessibility.getFullAXTree")["nodes"]
    assert ("table", "Unloads") in [(n["role"]["value"], n.get("name", {}).get("value")) for n in nodes
                                    if not n["ignored"]]


def test_the_keyboard_reaches_everything(browser):
    reached = []
    for _ in range(60):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(browser.run("const a = document.activeElement;"
                                   "return a.id || a.dataset.zoom || a.textContent"))
    for place in ("query", "in", "all", "timeline", "Free delay", "lr_leak"):
        assert place in reached, reached


def test_the_policy_stops_what_is_smuggled_in(chromium, page, tmp_path):
    """The control: complaints and requests are noticed, and a script that is not the page's own does
    not run."""
    file = tmp_path / "smuggled.html"
    file.write_text(page.read_text(encoding="utf-8").replace(
        "<main>", "<main><script>document.title = 'owned'</script><img src='http://127.0.0.1:9/x'>"
                  "<style>h1 { color: red }</style>"), encoding="utf-8")
    chromium.open(file)
    assert "owned" not in chromium.driver.title
    assert chromium.css("h1", "color") != (255, 0, 0)
    assert len([c for c in chromium.complaints() if "Content Security Policy" in c]) >= 3
    bare = tmp_path / "bare.html"
    bare.write_text("<img src='http://127.0.0.1:9/x'>", encoding="utf-8")
    chromium.open(bare)
    assert "http://127.0.0.1:9/x" in chromium.requests()
