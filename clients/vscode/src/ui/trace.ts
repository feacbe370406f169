import * as vscode from "vscode";

/**
 * The channel of the messages between editor and server.
 *
 * The client library writes them when the channel's log level is "trace", which only the user can
 * set, in a menu. This channel says so of itself once the trace has been asked for.
 */
export class TraceChannel implements vscode.LogOutputChannel {
  readonly name = "Sirdab Trace";
  readonly onDidChangeLogLevel: vscode.Event<vscode.LogLevel>;
  private readonly channel = vscode.window.createOutputChannel(this.name, { log: true });
  private readonly changed = new vscode.EventEmitter<vscode.LogLevel>();
  private isOn = false;

  constructor() {
    this.onDidChangeLogLevel = this.changed.event;
    this.channel.onDidChangeLogLevel(() => this.changed.fire(this.logLevel));
  }

  get logLevel(): vscode.LogLevel {
    return this.isOn ? vscode.LogLevel.Trace : this.channel.logLevel;
  }

  /** Write the messages from now on. */
  turnOn(): void {
    if (!this.isOn) {
      this.isOn = true;
      this.changed.fire(this.logLevel);
    }
  }

  trace(message: string, ...more: unknown[]): void {
    if (this.isOn) {
      this.channel.info(message, ...more);
    } else {
      this.channel.trace(message, ...more);
    }
  }

  debug(message: string, ...more: unknown[]): void {
    this.channel.debug(message, ...more);
  }

  info(message: string, ...more: unknown[]): void {
    this.channel.info(message, ...more);
  }

  warn(message: string, ...more: unknown[]): void {
    this.channel.warn(message, ...more);
  }

  error(error: string | Error, ...more: unknown[]): void {
    this.channel.error(error, ...more);
  }

  append(value: string): void {
    this.channel.append(value);
  }

  appendLine(value: string): void {
    this.channel.appendLine(value);
  }

  replace(value: string): void {
    this.channel.replace(value);
  }

  clear(): void {
    this.channel.clear();
  }

  show(columnOrPreserveFocus?: vscode.ViewColumn | boolean, preserveFocus?: boolean): void {
    this.channel.show(
      typeof columnOrPreserveFocus === "boolean" ? columnOrPreserveFocus : preserveFocus,
    );
  }

  hide(): void {
    this.channel.hide();
  }

  dispose(): void {
    this.changed.dispose();
    this.channel.dispose();
  }
}
