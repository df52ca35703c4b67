"use strict";
// Shows the contract and lets a reader try it. Nothing is loaded from elsewhere; text from the
// contract only ever becomes text, never markup.

const VERBS = ["get", "post", "put", "patch", "delete"];
const $ = (id) => document.getElementById(id);
let contract = null;
let streaming = null;

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

function prose(text) {
  const parts = text.split("`").map((part, index) => (index % 2 ? make("code", { text: part }) : part));
  return make("p", {}, ...parts);
}

function resolve(node) {
  if (!node || !node.$ref) return node || {};
  return node.$ref.slice(2).split("/").reduce((place, key) => place[key], contract);
}

function typeName(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(typeName).join(" or ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.type === "array") return `list of ${typeName(schema.items) || "anything"}`;
  if (schema.format) return `${schema.type} (${schema.format})`;
  return schema.type || "any JSON";
}

function sample(schema, depth = 0) {
  const node = resolve(schema);
  if (depth > 5) return null;
  if ("default" in node) return node.default;
  if (node.enum) return node.enum[0];
  if (node.anyOf) return sample(node.anyOf.find((each) => each.type !== "null"), depth + 1);
  if (node.type === "object") {
    const entries = Object.entries(node.properties || {});
    return Object.fromEntries(entries.map(([key, value]) => [key, sample(value, depth + 1)]));
  }
  if (node.type === "array") return [sample(node.items, depth + 1)];
  if (node.format === "date-time") return "2026-01-15T10:30:00Z";
  return { string: "text", integer: 0, number: 0, boolean: true }[node.type] ?? null;
}

function constraints(schema) {
  const words = [];
  if ("minimum" in schema) words.push(`at least ${schema.minimum}`);
  if ("maximum" in schema) words.push(`at most ${schema.maximum}`);
  if ("minLength" in schema) words.push(`from ${schema.minLength} characters`);
  if ("maxLength" in schema) words.push(`up to ${schema.maxLength} characters`);
  if ("default" in schema && schema.default !== null) words.push(`default ${JSON.stringify(schema.default)}`);
  return words.join(", ");
}

function table(heads, rows) {
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col", text })));
  const lines = rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell))));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines));
}

function fields(schema) {
  const node = resolve(schema);
  const required = new Set(node.required || []);
  return Object.entries(node.properties || {}).map(([name, value]) => [
    make("code", { text: name }),
    typeName(value) + (required.has(name) ? "" : ", optional"),
    constraints(resolve(value)),
  ]);
}

function contentOf(reply) {
  const [type, content] = Object.entries(reply.content || {})[0] || [];
  return { type, content };
}

function answers(operation) {
  return Object.entries(operation.responses).map(([status, reference]) => {
    const reply = resolve(reference);
    const { type, content } = contentOf(reply);
    const what = content ? typeName(content.schema) : "";
    return [make("code", { text: status }), reply.description, type ? `${what} · ${type}` : ""];
  });
}

function inputs(parameters, prefix) {
  return parameters.map((parameter) => {
    const id = `${prefix}-${parameter.in}-${parameter.name}`;
    const label = make("label", { for: id, text: `${parameter.name} (${parameter.in})` });
    const input = make("input", { id, autocomplete: "off", placeholder: parameter.description });
    input.dataset.name = parameter.name;
    input.dataset.place = parameter.in;
    return make("div", { class: "field" }, label, input);
  });
}

function request(form, method, path) {
  const headers = { Accept: "application/json, text/event-stream" };
  const query = new URLSearchParams();
  let target = path;
  for (const input of form.querySelectorAll("[data-place]")) {
    const { name, place } = input.dataset;
    if (place === "path") target = target.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (input.value && place === "query") query.append(name, input.value);
    else if (input.value && place === "header") headers[name] = input.value;
  }
  const token = $("token").value.trim();
  if (/^sk_(live|test)_/.test(token)) headers["X-API-Key"] = token;
  else if (token) headers.Authorization = `Bearer ${token}`;
  const body = form.querySelector("textarea");
  const options = { method: method.toUpperCase(), headers };
  if (body && body.value.trim()) {
    headers["Content-Type"] = form.querySelector("select").value;
    options.body = body.value;
  }
  const text = query.toString();
  return [text ? `${target}?${text}` : target, options];
}

function shown(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

async function follow(response, output) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    output.textContent += value;
    output.scrollTop = output.scrollHeight;
  }
}

async function send(form, method, path, outcome) {
  if (streaming) streaming.abort();
  streaming = new AbortController();
  const [target, options] = request(form, method, path);
  const status = make("strong");
  const output = make("pre", { tabindex: "0", "aria-label": "Answer" });
  outcome.replaceChildren(make("p", {}, status), output);
  const began = performance.now();
  try {
    const response = await fetch(target, { ...options, signal: streaming.signal });
    const took = Math.round(performance.now() - began);
    status.className = response.ok ? "good" : "bad";
    status.textContent = `${response.status} ${response.statusText} · ${took} ms`;
    const type = response.headers.get("Content-Type") || "";
    if (type.startsWith("text/event-stream")) await follow(response, output);
    else output.textContent = shown(await response.text()) || "(empty)";
    adopt(path, output.textContent);
  } catch (error) {
    if (error.name === "AbortError") return;
    status.className = "bad";
    status.textContent = `No answer: ${error.message}`;
  }
}

function adopt(path, text) {
  if (!path.startsWith("/v1/auth/")) return;
  try {
    const token = JSON.parse(text).access_token;
    if (token) $("token").value = token;
  } catch { /* not an answer with a token */ }
}

function bodyFields(operation, prefix) {
  const content = operation.requestBody && operation.requestBody.content;
  if (!content) return [];
  const types = Object.keys(content).filter((type) => type !== "*/*");
  const first = content[types[0]];
  const given = Object.values(first.examples || {})[0];
  const text = JSON.stringify(given ? given.value : sample(first.schema), null, 2);
  const select = make("select", { id: `${prefix}-type` }, ...types.map((text) => make("option", { text })));
  return [
    make("div", { class: "field" }, make("label", { for: `${prefix}-type`, text: "Content-Type" }), select),
    make("div", { class: "field" },
      make("label", { for: `${prefix}-body`, text: "Body" }),
      make("textarea", { id: `${prefix}-body`, spellcheck: "false", text })),
  ];
}

function tryIt(operation, method, path) {
  const outcome = make("div", { class: "outcome", role: "status" });
  const parameters = (operation.parameters || []).filter((each) => each.name !== "API-Version");
  const form = make("form", {},
    ...inputs(parameters, operation.operationId),
    ...bodyFields(operation, operation.operationId),
    make("button", { class: "send", text: "Send" }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, method, path, outcome);
  });
  return make("div", {}, make("h3", { text: "Try it" }), form, outcome);
}

function operationNode(path, method, operation) {
  const body = make("div", { class: "body" });
  if (operation.description) operation.description.split("\n\n").forEach((text) => body.append(prose(text)));
  const parameters = (operation.parameters || []).map((each) => [
    make("code", { text: each.name }), each.in, typeName(each.schema), each.description,
  ]);
  if (parameters.length) body.append(make("h3", { text: "Parameters" }), table(["name", "in", "type", "meaning"], parameters));
  const content = operation.requestBody && Object.values(operation.requestBody.content)[0];
  const rows = content ? fields(content.schema) : [];
  if (rows.length) body.append(make("h3", { text: "Body" }), table(["field", "type", "limits"], rows));
  body.append(make("h3", { text: "Answers" }), table(["status", "meaning", "content"], answers(operation)));
  const good = contentOf(resolve(Object.values(operation.responses).find((each) => !each.$ref)));
  if (good.content && good.content.schema && good.type === "application/json") {
    const text = JSON.stringify(good.content.example || sample(good.content.schema), null, 2);
    body.append(make("h3", { text: "Looks like" }), make("pre", { tabindex: "0", text }));
  }
  body.append(tryIt(operation, method, path));
  return make("details", { class: "operation", id: operation.operationId },
    make("summary", {},
      make("span", { class: `method ${method.toUpperCase()}`, text: method.toUpperCase() }),
      make("span", { class: "path", text: path }),
      make("span", { class: "title", text: operation.summary })),
    body);
}

function operationsOf(tag) {
  return Object.entries(contract.paths).flatMap(([path, item]) =>
    VERBS.filter((verb) => item[verb] && item[verb].tags.includes(tag)).map((verb) => [path, verb, item[verb]]));
}

function render() {
  $("version").textContent = contract.info.version;
  $("about").replaceWith(Object.assign(prose(contract.info.description), { id: "about" }));
  $("loading").remove();
  for (const tag of contract.tags) {
    const section = make("section", {}, make("h2", { text: tag.name }), make("p", { text: tag.description }));
    const list = make("ul");
    for (const [path, verb, operation] of operationsOf(tag.name)) {
      section.append(operationNode(path, verb, operation));
      const link = make("a", { href: `#${operation.operationId}`, text: operation.summary, title: `${verb.toUpperCase()} ${path}` });
      list.append(make("li", {}, link));
    }
    $("content").append(section);
    $("index").append(make("h2", { text: tag.name }), list);
  }
  openNamed();
}

function openNamed() {
  const node = location.hash && $(location.hash.slice(1));
  if (node && node.tagName === "DETAILS") {
    node.open = true;
    node.scrollIntoView();
    node.querySelector("summary").focus({ preventScroll: true });
  }
}

function filter() {
  const wanted = $("filter").value.trim().toLowerCase();
  for (const item of $("index").querySelectorAll("li")) {
    const link = item.firstChild;
    item.hidden = !`${link.textContent} ${link.title}`.toLowerCase().includes(wanted);
  }
}

async function start() {
  $("signin").addEventListener("submit", (event) => event.preventDefault());
  $("forget").addEventListener("click", () => { $("token").value = ""; $("token").focus(); });
  $("filter").addEventListener("input", filter);
  addEventListener("hashchange", openNamed);
  try {
    contract = await (await fetch("/openapi.json")).json();
    render();
  } catch (error) {
    $("content").replaceChildren(make("p", { role: "alert", text: `The contract cannot be read: ${error.message}` }));
  }
}

start();
