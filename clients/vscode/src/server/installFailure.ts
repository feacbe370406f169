import { MINIMUM_PYTHON_TEXT } from "./python";

/**
 * Sentences for what Python and pip print when an installation fails.
 *
 * They are told apart by the words of pip itself (its messages are not translated); whatever is
 * not known is quoted by its last line.
 */

export function whyNoEnvironment(program: string, output: string): string {
  if (/ensurepip|python3[\d.]*-venv/.test(output)) {
    return `Python at ${program} cannot make virtual environments; on Debian or Ubuntu run "sudo apt install python3-venv", then try again.`;
  }
  return `Python at ${program} could not make a virtual environment (${lastLine(output)}); see the log.`;
}

export function whyNoPackages(output: string): string {
  if (/No space left|Errno 28/.test(output)) {
    return "There is no room on the disk for Sirdab's server; make some and try again.";
  }
  // Looked for before the next: without a network, pip ends with "no matching distribution" too.
  if (/NewConnectionError|ConnectTimeout|NameResolution|ProxyError|SSLError/.test(output)) {
    return "The Python package index cannot be reached; check the network or pip's proxy setting and try again.";
  }
  if (/No matching distribution/.test(output)) {
    const name = /requirement ([A-Za-z0-9_.-]+)==/.exec(output)?.[1] ?? "that is needed";
    return `There is no package ${name} for this machine and this Python; try another Python (${MINIMUM_PYTHON_TEXT} or newer), or see the log.`;
  }
  if (/DO NOT MATCH THE HASHES/.test(output)) {
    return "A downloaded package is not the one that was checked for this release, so nothing was installed; see the log.";
  }
  return `The server could not be installed (${lastLine(output)}); see the log.`;
}

export function whyItDoesNotRun(output: string): string {
  return `The server was installed and does not run (${lastLine(output)}); see the log.`;
}

function lastLine(output: string): string {
  const lines = output
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("["));
  const error = lines.findLast((line) => line.startsWith("ERROR:") || line.startsWith("Error:"));
  return (error ?? lines.at(-1) ?? "no reason given").replace(/^ERROR: /, "").slice(0, 200);
}
