import type { CancellationToken } from "vscode";
import type { ServerCommand } from "../server/command";
import type { Session } from "./run";

/** Something was asked of a server that is not running; the message is for the user. */
export class NotRunning extends Error {
  constructor() {
    super("Sirdab's server is not running; see its log, or restart it.");
  }
}

// Codes by which the client library says that the connection has ended before the answer.
const GONE: ReadonlySet<unknown> = new Set([-32097, -32096]);

/** The server as the commands of the user interface see it. */
export class ServerAccess {
  /** The running session. */
  session: Session | undefined;
  /** How the server was called last; also how its other commands are called. */
  command: ServerCommand | undefined;

  /** Send a request. Rejects with NotRunning, or with what the server answered. */
  request<T>(method: string, params: object, token?: CancellationToken): Promise<T> {
    const client = this.running().client;
    const answer = token
      ? client.sendRequest<T>(method, params, token)
      : client.sendRequest<T>(method, params);
    return answer.catch((error: unknown) => {
      throw GONE.has((error as { code?: unknown }).code) ? new NotRunning() : error;
    });
  }

  /** Have the server carry out one of its commands. */
  execute<T>(command: string, args: unknown[]): Promise<T> {
    return this.request<T>("workspace/executeCommand", { command, arguments: args });
  }

  /** Tell the server something; of no consequence when it is not there. */
  notify(method: string, params: object): void {
    this.session?.client.sendNotification(method, params).catch(() => undefined);
  }

  offers(command: string): boolean {
    return this.session?.offers(command) ?? false;
  }

  running(): Session {
    if (this.session === undefined) {
      throw new NotRunning();
    }
    return this.session;
  }
}
