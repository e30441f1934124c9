# SPDX-License-Identifier: GPL-2.0-only
"""Debian's Chromium without a screen: what it shows, what it asks the network for, what it complains
of. Selenium drives it."""

import base64
import json
import re

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--force-device-scale-factor=1"]


class Browser:
    def __init__(self, profile):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in [*FLAGS, f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)

    def close(self):
        self.driver.quit()

    def open(self, file, width=1280, dark=False, media=""):
        """Opens a file as if it were the first; what was complained of before is forgotten."""
        self.look(width, dark, media)
        self.complaints()
        self.requests()
        self.driver.get(f"file://{file}")

    def look(self, width=1280, dark=False, media=""):
        """The size of the window, and what its user prefers."""
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=900,
                     deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", media=media, features=[scheme])
        # What follows the size is drawn in the next frame, which a busy machine is late with.
        self.driver.execute_async_script("""
            const done = arguments[0];
            requestAnimationFrame(() => requestAnimationFrame(() => done()));""")

    def command(self, name, **arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def press(self, *keys):
        """Keys for whatever has the focus."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def table(self, selector):
        """The rows of a table as they stand there: name of the column → text."""
        return self.run("""
            return [...document.querySelectorAll(arguments[0] + " tbody tr")].map((row) =>
                Object.fromEntries([...row.children].map((cell) =>
                    [cell.dataset.name, cell.textContent])))""", selector)

    def complaints(self):
        """Errors and warnings of the console since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """Addresses that were asked for since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in
                  self.driver.get_log("performance")]
        return [event["params"]["request"]["url"] for event in events
                if event["method"] == "Network.requestWillBeSent"]

    def style(self, name):
        """A colour of the page, as (red, green, blue)."""
        value = self.run("return getComputedStyle(document.documentElement)"
                         ".getPropertyValue('--' + arguments[0])", name).strip()
        return tuple(int(value[i:i + 2], 16) for i in (1, 3, 5))

    def css(self, selector, name):
        """A colour that an element has in the end, as (red, green, blue)."""
        value = self.run("return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]",
                         selector, name)
        return tuple(map(int, re.findall(r"\d+", value)[:3]))

    def pixel(self, x, y):
        """Of the canvas, as (red, green, blue)."""
        return tuple(self.run("""
            const canvas = document.querySelector("#timeline canvas");
            const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
            copy.drawImage(canvas, arguments[0], arguments[1], 1, 1, 0, 0, 1, 1);
            return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3)""", x, y))

    def picture(self, file, width, height=None):
        """A PNG of the page from its top; of all of it without a height."""
        height = height or self.run("return document.documentElement.scrollHeight")
        shot = self.command("Page.captureScreenshot", captureBeyondViewport=True, clip={
            "x": 0, "y": 0, "width": width, "height": height, "scale": 1})
        file.write_bytes(base64.b64decode(shot["data"]))

    def pdf(self):
        return base64.b64decode(self.command("Page.printToPDF", printBackground=True)["data"])


def contrast(a, b):
    """Of two colours, by WCAG 2; text wants 4.5."""
    def luminance(color):
        parts = [v / 255 / 12.92 if v / 255 <= 0.04045 else ((v / 255 + 0.055) / 1.055) ** 2.4
                 for v in color]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)
