// Parts of pages that are put together in the browser.

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export function escapeHtml(text) {
  return String(text).replace(/[&<>"']/g, (char) => ENTITIES[char]);
}

export function escapeRegExp(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

export function showName(element, user) {
  element.textContent = user.name;
  element.className = user.online === true ? "online" : "offline";
}

export function showError(element, message) {
  element.hidden = false;
  element.textContent = message;
}

export function comment(author, text) {
  return `<li><b>${escapeHtml(author)}</b>: ${escapeHtml(text)}</li>`;
}

function mark(text) {
  return `<mark>${escapeHtml(text)}</mark>`;
}

export function highlight(text, term) {
  if (term === "") {
    return escapeHtml(text);
  }
  const pattern = new RegExp(`(${escapeRegExp(term)})`, "gi");
  const parts = text.split(pattern);
  return parts.map((part, i) => (i % 2 === 1 ? mark(part) : escapeHtml(part))).join("");
}

export function matches(names, typed) {
  const pattern = new RegExp("^" + escapeRegExp(typed), "i");
  return names.filter((name) => pattern.test(name));
}

export function afterLogin(location, target) {
  const url = new URL(target, location.origin);
  if (url.origin !== location.origin) {
    location.assign("/");
    return;
  }
  location.assign(url.href);
}

export function readSettings(storage) {
  const text = storage.getItem("settings");
  if (text === null) {
    return {};
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) {
      return {};
    }
    throw error;
  }
}

export function field(form, name) {
  const input = form.elements[name];
  if (!input) {
    return "";
  }
  let value = input.value;
  value = value.trim();
  return value;
}

export function pageNumber(query) {
  const number = Number.parseInt(query.get("page") ?? "1", 10);
  if (Number.isNaN(number) || number < 1) {
    return 1;
  }
  return number;
}

export function duration(seconds) {
  if (seconds === 0) {
    return "now";
  }
  const minutes = Math.floor(seconds / 60);
  const rest = String(seconds % 60).padStart(2, "0");
  return `${minutes}:${rest}`;
}

export function classes(options) {
  const names = ["button"];
  if (options.primary && !options.disabled) {
    names.push("button-primary");
  }
  if (options.loading || options.disabled) {
    names.push("button-inactive");
  }
  return names.join(" ");
}

export function truncate(text, width) {
  if (text.length <= width) {
    return text;
  }
  return text.slice(0, width - 1) + "…";
}

export function volume(settings) {
  return settings.volume ?? 50;
}

export function title(user) {
  const name = user?.profile?.name;
  return name === undefined ? "Guest" : `${name}'s page`;
}

export function slug(text) {
  let name = text.toLowerCase();
  name = name.replace(/[^a-z0-9]+/g, "-");
  return name.replace(/^-|-$/g, "");
}
