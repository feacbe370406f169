import type { CancellationToken } from "vscode";
import type { ServerCommand } from "../server/command";
import type { Session } from "./run";

/** Something was asked of a server that is not running; the message is for the user. */
export class NotRunning extends Error {
  constructor() {
    super("Sirdab's server is not running; see its log, or restart it.");
  }
}

/** The server as the commands of the user interface see it. */
export class ServerAccess {
  /** The running session. */
  session: Session | undefined;
  /** How the server was called last; also how its other commands are called. */
  command: ServerCommand | undefined;

  /** Send a request. Rejects with NotRunning, or with what the server answered. */
  request<T>(method: string, params: object, token?: CancellationToken): Promise<T> {
    const client = this.running().client;
    return token
      ? client.sendRequest<T>(method, params, token)
      : client.sendRequest<T>(method, params);
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
