// What moves on the dashboard: new calls as they end, search while typing, copying, light or dark. Every page works without it, and
// all HTML that it puts in was made, and escaped, by the gateway.
"use strict";
(() => {
  const root = document.documentElement;
  const kept = (value) => {
    try {
      if (value !== undefined) localStorage.setItem("theme", value);
      return localStorage.getItem("theme");
    } catch {
      return null; // Storage may be off: the choice then lasts as long as the page.
    }
  };
  const theme = kept();
  // Before the page is drawn, so that it does not flash.
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  root.classList.add("scripted");

  const fragment = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content;
  };

  const fetched = async (url) => {
    const answer = await fetch(url, { headers: { accept: "text/html" }, credentials: "same-origin" });
    if (!answer.ok) throw Object.assign(new Error(`HTTP ${answer.status}`), { status: answer.status });
    return fragment(await answer.text());
  };

  function themeSwitch(button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      kept(root.dataset.theme);
    });
  }

  function copying(button) {
    button.hidden = false;
    const label = button.firstChild;
    const word = label.data;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        label.data = "Copied";
      } catch {
        // Without the right to the clipboard (plain http elsewhere) the text is selected, ready to be copied by hand.
        getSelection().selectAllChildren(source);
        label.data = "Selected";
      }
      setTimeout(() => (label.data = word), 2000);
    });
  }

  function search(form) {
    const results = document.querySelector("[data-results]");
    let newest = 0;
    let pause;
    const run = async () => {
      const own = ++newest;
      const url = `${form.action}?${new URLSearchParams(new FormData(form))}`;
      try {
        const page = await fetched(url);
        if (own !== newest) return;
        results.replaceChildren(...page.querySelector("[data-results]").childNodes);
        history.replaceState(null, "", url);
      } catch {
        form.submit();
      }
    };
    form.addEventListener("input", () => {
      clearTimeout(pause);
      pause = setTimeout(run, 150);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      run();
    });
  }

  function refresh(part) {
    const stale = document.getElementById("stale");
    const tell = (isStale) => {
      part.classList.toggle("stale", isStale);
      stale.hidden = !isStale;
    };
    const again = async () => {
      // Who moves by keyboard there, or marks text, would lose the place.
      const busy = document.hidden || part.querySelector(":focus-visible") || !getSelection().isCollapsed;
      if (!busy) {
        try {
          const page = await fetched(location.href);
          const next = page.querySelector("[data-refresh]");
          for (const open of part.querySelectorAll("details[open][id]")) {
            next.querySelector(`details[id="${CSS.escape(open.id)}"]`)?.setAttribute("open", "");
          }
          part.replaceChildren(...next.childNodes);
          part.querySelectorAll("[data-copy]").forEach(copying);
          tell(false);
        } catch (why) {
          // Whoever is not let in any more is asked for a token.
          if (why.status === 401) location.reload();
          tell(true);
        }
      }
      setTimeout(again, part.dataset.refresh * 1000);
    };
    setTimeout(again, part.dataset.refresh * 1000);
  }

  function live(status) {
    const rows = document.getElementById("calls");
    const most = 500;
    let missed = 0;
    status.hidden = false;
    const say = (text, state) => {
      status.textContent = text + (missed ? ` ${missed} calls were missed; reload to see the last ones.` : "");
      status.dataset.state = state;
    };
    const source = new EventSource(status.dataset.live);
    let lost = false;
    source.addEventListener("ready", () => {
      say(lost ? "Live again; reload the page to see calls of the meantime." : "Live: new calls appear on top.", "on");
    });
    source.addEventListener("message", (event) => {
      rows.prepend(fragment(event.data));
      rows.firstElementChild.classList.add("new");
      while (rows.children.length > most) rows.lastElementChild.remove();
      for (const empty of document.querySelectorAll(".empty")) empty.hidden = true;
    });
    source.addEventListener("missed", (event) => {
      missed += Number(event.data);
      say("Live.", "on");
    });
    source.addEventListener("error", () => {
      lost = true;
      // Refused, it is not tried again.
      const refused = source.readyState === EventSource.CLOSED;
      say(refused ? "No longer live: reload the page." : "The gateway does not answer; trying again…", "off");
    });
    // A page that is left must not keep a connection; one that is come back to begins anew.
    addEventListener("pagehide", () => source.close());
    addEventListener("pageshow", (event) => {
      if (event.persisted) location.reload();
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-theme-switch]").forEach(themeSwitch);
    document.querySelectorAll("[data-copy]").forEach(copying);
    document.querySelectorAll("[data-search]").forEach(search);
    document.querySelectorAll("[data-refresh]").forEach(refresh);
    document.querySelectorAll("[data-live]").forEach(live);
    for (const select of document.querySelectorAll("[data-submit]")) {
      if (!select.form.hasAttribute("data-search")) select.addEventListener("change", () => select.form.submit());
    }
  });
})();
