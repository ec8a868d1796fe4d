"""The browser of these checks: that it runs here, so that a failure elsewhere is not its own."""

from harness.browser import browser, picture


def test_chromium_shows_a_page_and_takes_its_picture() -> None:
    with browser() as context:
        page = context.new_page()
        page.set_content("<h1 id=there>Causeway</h1><script>document.title = 1 + 1</script>")
        assert page.locator("#there").inner_text() == "Causeway"
        assert page.title() == "2"
        assert picture(page, "browser").stat().st_size > 0
