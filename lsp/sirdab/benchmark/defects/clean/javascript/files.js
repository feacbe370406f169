// A small file service on Node.

import { execFile } from "node:child_process";
import { createHmac, scryptSync } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

export class NotAllowed extends Error {}

export function locate(root, name) {
  const folder = path.resolve(root);
  const file = path.resolve(folder, name);
  if (!file.startsWith(folder + path.sep)) {
    throw new NotAllowed(name);
  }
  return file;
}

export async function read(root, name) {
  return readFile(locate(root, name), "utf8");
}

export async function send(response, root, name) {
  const file = path.resolve(root, name);
  if (!file.startsWith(path.resolve(root) + path.sep)) {
    response.statusCode = 403;
    response.end("forbidden");
    return;
  }
  await pipeline(createReadStream(file), response);
}

export async function firstLine(file) {
  const handle = await open(file);
  try {
    const buffer = Buffer.alloc(256);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return buffer.toString("utf8", 0, bytesRead).split("\n")[0];
  } finally {
    await handle.close();
  }
}

export async function append(file, lines) {
  const handle = await open(file, "a");
  try {
    await handle.write(lines.map((line) => `${line}\n`).join(""));
  } finally {
    await handle.close();
  }
}

export async function sizes(files) {
  const found = await Promise.all(files.map((file) => stat(file)));
  return found.map((one) => one.size);
}

export async function history(file, limit = 10) {
  const { stdout } = await run("git", ["log", "--format=%h", "-n", String(limit), "--", file]);
  return stdout.split("\n").filter((line) => line !== "");
}

export async function archive(folder, target) {
  await run("tar", ["-czf", target, "--", folder]);
  return target;
}

export function signature(text, secret) {
  return createHmac("sha256", secret).update(text).digest("hex");
}

export function passwordKey(password, salt) {
  return scryptSync(password, salt, 32).toString("hex");
}

export async function saveAll(store, entries) {
  for (const entry of entries) {
    await store.put(entry.name, entry.value);
  }
  await store.flush();
  return entries.length;
}

export async function notify(listeners, event) {
  const errors = [];
  for (const listener of listeners) {
    try {
      await listener(event);
    } catch (error) {
      errors.push(error);
    }
  }
  return errors;
}

export async function loadConfig(file) {
  const text = await readFile(file, "utf8");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${file} is no JSON`, { cause: error });
  }
}
