// Buttons with `data-action` and forms with `data-api` call the HTTP API; pages themselves change nothing.
"use strict";
(function () {
  const root = document.documentElement.dataset.root;
  const meta = document.querySelector('meta[name="csrf-token"]');
  const words = JSON.parse(document.body.dataset.words || "{}");

  function toast(text, failed) {
    const box = document.createElement("p");
    box.textContent = text;
    box.className = failed ? "toast failed" : "toast";
    document.getElementById("toasts").append(box);
    setTimeout(() => box.remove(), failed ? 12000 : 5000);
  }

  function confirmed(question) {
    const dialog = document.getElementById("confirm");
    dialog.querySelector("p").textContent = question;
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
  }

  function told(detail) {
    if (typeof detail === "string") return detail;
    if (Array.isArray(detail)) return detail.map((each) => `${(each.loc || []).slice(1).join(".")}: ${each.msg}`).join("\n");
    return JSON.stringify(detail);
  }

  async function call(method, url, body) {
    const headers = {};
    if (meta !== null) headers["X-CSRF-Token"] = meta.content;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await fetch(root + url, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin",
    });
    if (answer.status === 401) { location.assign(`${root}/login`); throw new Error(words.login); }
    const data = answer.status === 204 ? null : await answer.json();
    if (!answer.ok) throw new Error(told(data.detail));
    return data;
  }

  async function act(element, method, url, body) {
    element.setAttribute("aria-busy", "true");
    try {
      const data = await call(method, url, body);
      if (element.dataset.then) { location.assign(root + element.dataset.then); return; }
      const show = element.dataset.show && document.querySelector(element.dataset.show);
      if (show) {
        show.hidden = false;
        show.querySelector("[data-answer]").textContent = JSON.stringify(data, null, 2);
        const link = show.querySelector("a[data-task]");
        if (link && data.task_id) { link.hidden = false; link.href = `${root}/tasks/${encodeURIComponent(data.task_id)}`; }
        show.scrollIntoView({ block: "nearest" });
      }
      const count = data && data.count !== undefined ? `: ${data.count}` : "";
      toast((element.dataset.done || words.done) + count);
      document.dispatchEvent(new CustomEvent("fsdf:acted"));
    } catch (error) {
      toast(error.message, true);
    } finally {
      element.removeAttribute("aria-busy");
    }
  }

  // A field's value: `data-kind` json is JSON (plain words count as text), number a number; left empty, it is left out.
  function value(field) {
    const text = field.value;
    if (field.type === "checkbox") return field.checked;
    if (text === "") return undefined;
    if (field.dataset.kind === "number") {
      const number = Number(text);
      if (Number.isNaN(number)) throw new Error(`${field.name}: ${words.number}`);
      return number;
    }
    if (field.dataset.kind === "json" || field.dataset.kind === "object") {
      try { return JSON.parse(text); } catch {
        if (field.dataset.kind === "object") throw new Error(`${field.name}: ${words.json}`);
        return text;
      }
    }
    return text;
  }

  // `name="a.b"` goes to {"a": {"b": …}}; fields that are disabled or hidden with their fieldset are left out.
  function bodyOf(form) {
    const body = {};
    for (const field of form.elements) {
      if (!field.name || field.disabled || field.closest("fieldset[disabled]")) continue;
      const found = value(field);
      if (found === undefined || (field.type === "checkbox" && field.dataset.sparse !== undefined && !found)) continue;
      const dot = field.name.indexOf(".");
      if (dot < 0) {
        if (typeof found === "object" && found !== null && typeof body[field.name] === "object") Object.assign(body[field.name], found);
        else body[field.name] = found;
      } else {
        const outer = field.name.slice(0, dot);
        if (typeof body[outer] !== "object" || body[outer] === null) body[outer] = {};
        Object.defineProperty(body[outer], field.name.slice(dot + 1), { value: found, enumerable: true, writable: true, configurable: true });
      }
    }
    return body;
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-action]");
    if (button === null || button.getAttribute("aria-busy") === "true") return;
    event.preventDefault();
    let body = button.dataset.body === undefined ? undefined : JSON.parse(button.dataset.body);
    if (button.dataset.chosen !== undefined) {
      const chosen = [...document.querySelectorAll(`input[name="${button.dataset.chosen}"]:checked`)].map((box) => box.value);
      if (chosen.length === 0) { toast(words.choose, true); return; }
      body = { task_ids: chosen };
    }
    if (button.dataset.confirm && !(await confirmed(button.dataset.confirm))) return;
    if (button.dataset.chosen !== undefined) {
      for (const box of document.querySelectorAll(`input[name="${button.dataset.chosen}"]`)) box.checked = false;
    }
    await act(button, button.dataset.action, button.dataset.url, body);
  });

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-api]");
    if (form === null) return;
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    try {
      await act(form, form.dataset.method || "POST", form.dataset.api, bodyOf(form));
    } catch (error) {
      toast(error.message, true);
    }
  });

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("[data-all]")) {
      for (const each of document.querySelectorAll(`input[name="${box.dataset.all}"]`)) each.checked = box.checked;
    }
    if (box.matches("[data-go]")) location.assign(box.dataset.go + encodeURIComponent(box.value));
    if (box.matches("[data-switch]")) {
      for (const set of document.querySelectorAll("fieldset[data-for]")) {
        const off = set.dataset.for !== box.value;
        set.disabled = off;
        set.hidden = off;
      }
    }
  });
})();
