/**
 * Write a text that somebody else chose so that no message of VS Code shows a link in it.
 *
 * Messages show `[label](command:…)` as a link that runs a command, and a file may be called so.
 */
export function unlinked(text: string): string {
  return text.replaceAll("](", "] (");
}
