import * as path from "node:path";
import * as vscode from "vscode";
import { ServerAccess } from "./client/access";
import { reportCursor } from "./client/cursor";
import { INSTRUCT, SHOW_EXPLANATION, type Status } from "./client/protocol";
import type { SessionHost } from "./client/run";
import type { Place } from "./client/shown";
import { reportShown } from "./client/shownReporter";
import type { Origin } from "./server/command";
import { type Discovery, discover } from "./server/discovery";
import { PrivateCopy } from "./server/privateCopy";
import { onSelectedPythonChanged } from "./server/selectedPython";
import { type Run, Supervisor } from "./server/supervisor";
import { surroundings } from "./server/surroundings";
import { SECTION, Settings } from "./settings/settings";
import { registerCommands } from "./ui/commands";
import { setCommandContexts, setContext } from "./ui/contextKeys";
import { Explainer } from "./ui/explain";
import { installServer, newerWheel } from "./ui/install";
import { watchLargeFiles } from "./ui/largeFiles";
import { showMenu } from "./ui/menu";
import { ModelCommands } from "./ui/models";
import { Notices } from "./ui/notices";
import { Numbers } from "./ui/numbers";
import { Proposals } from "./ui/proposals";
import { RefactorCommands } from "./ui/refactor";
import { ReviewCommands } from "./ui/review";
import { openSample } from "./ui/sample";
import { StatusBar } from "./ui/statusBar";
import { withFile } from "./ui/statusView";
import { Switches } from "./ui/switches";
import { runQuietly, runVisibly } from "./ui/tasks";
import { TraceChannel } from "./ui/trace";
import { Walkthrough } from "./ui/walkthrough";

// Where it is kept which version the private copy was last brought to, or failed to be.
const UPDATED_TO = "sirdab.updatedTo";

// Where the server is looked for before the private copy.
const GOES_FIRST: ReadonlySet<Origin> = new Set(["setting", "path"]);

/** Ties the parts together: the server, what the editor tells, and what the user sees. */
export class App implements SessionHost {
  readonly log = vscode.window.createOutputChannel("Sirdab", { log: true });
  readonly trace = new TraceChannel();
  readonly folder: string;

  private readonly server = new ServerAccess();
  private readonly bar = new StatusBar();
  private readonly settingsReader: Settings;
  private readonly copy: PrivateCopy;
  private readonly supervisor: Supervisor;
  private readonly numbers = new Numbers(this.server, (found) => this.bar.showStatistics(found));
  private readonly switches = new Switches(this.server, () => this.bar.current);
  private readonly models: ModelCommands;
  private readonly notices: Notices;
  private readonly walkthrough: Walkthrough;
  private readonly review = new ReviewCommands(this.server);
  private readonly refactoring = new RefactorCommands(this.server);
  private readonly proposals = new Proposals();
  private readonly explainer = new Explainer(this.server);
  private discovery: Discovery | undefined;
  private isWatchingPython = false;
  private installation: Promise<void> | undefined;

  constructor(private readonly context: vscode.ExtensionContext) {
    this.folder = context.globalStorageUri.fsPath;
    this.settingsReader = new Settings(context.extension.packageJSON);
    this.copy = new PrivateCopy(path.join(this.folder, "server"));
    this.supervisor = new Supervisor((onEnded) => this.createRun(onEnded), {
      starting: () => this.onStarting(),
      running: () => this.onRunning(),
      slow: (elapsedMs) => this.onSlow(elapsedMs),
      failed: (error) => this.log.error(`The server was not started: ${String(error)}`),
      waiting: (delayMs) => this.onWaiting(delayMs),
      gaveUp: (failures) => this.onGaveUp(failures),
    });
    this.models = new ModelCommands(this.server, context.globalState, this.log, () =>
      this.restart(),
    );
    this.walkthrough = new Walkthrough(context.globalState);
    this.notices = new Notices(context.globalState, this.log);
  }

  /** Register everything, and start the server in the background. */
  begin(): void {
    this.context.subscriptions.push(
      this.log,
      this.trace,
      this.bar,
      this.numbers,
      this.explainer,
      this.refactoring,
      this.proposals,
      this.walkthrough,
      this.commands(),
      watchLargeFiles(),
      reportCursor(this.server),
      vscode.workspace.onDidChangeConfiguration((event) => this.onSettingsChanged(event)),
      vscode.workspace.onDidGrantWorkspaceTrust(() => void this.restart()),
    );
    // Not in this turn: the editor waits for what is done in it.
    setImmediate(() => this.inBackground(this.restart()));
    this.inBackground(this.notices.remote());
  }

  /** End the server; the editor waits for it a little. */
  end(): Promise<void> {
    return this.supervisor.stop();
  }

  // --- what a session asks and tells -----------------------------------------------------

  initializationOptions(): ReturnType<Settings["initializationOptions"]> {
    return this.settingsReader.initializationOptions();
  }

  settings(): ReturnType<Settings["forServer"]> {
    return this.settingsReader.forServer();
  }

  onStatus(status: Status): void {
    this.bar.show({ kind: "server", status: withFile(status, this.switches.isSetHere()) });
    if (status.state === "ready" || status.state === "busy") {
      this.walkthrough.reached("stepModel");
    }
    this.numbers.changed();
    // While ghost text is off, the message is about that.
    if (status.detail === "not-installed" && status.state !== "disabled") {
      this.inBackground(this.models.offer(status.message));
    }
  }

  isToldAlready(message: string): boolean {
    const { current } = this.bar;
    return (
      current.kind === "server" &&
      current.status.detail === "not-installed" &&
      message.includes(current.status.message)
    );
  }

  onAnswered(ids: readonly string[], place: Place): void {
    this.numbers.changed();
    const [id] = ids;
    if (id !== undefined) {
      reportShown(this.server, id, place);
    }
  }

  onAccepted(): void {
    this.walkthrough.reached("stepAccepted");
    this.numbers.changed();
  }

  onProposal(edit: vscode.WorkspaceEdit): Promise<boolean> {
    return this.proposals.propose(edit);
  }

  // --- the server -------------------------------------------------------------------------

  private async restart(): Promise<void> {
    await this.supervisor.restart();
  }

  private async createRun(onEnded: () => void): Promise<Run | undefined> {
    this.discovery = await discover(surroundings(this.copy));
    this.watchPython();
    if (this.discovery.kind !== "found") {
      this.server.command = undefined;
      this.bar.show({ kind: this.discovery.kind, message: this.discovery.message });
      this.log.warn(this.discovery.message);
      this.inBackground(this.notices.offerInstallation(this.discovery, () => this.install()));
      return undefined;
    }
    const { command } = this.discovery;
    this.server.command = command;
    this.log.info(`Server: ${command.program} (found by: ${command.origin})`);
    await vscode.workspace.fs.createDirectory(this.context.globalStorageUri);
    // The client library takes longer to load than everything else here together, so it is
    // loaded after the editor has been told that this extension is active.
    const { createSession } = await import("./client/run");
    const session = createSession(command, this, () => {
      if (this.server.session === session) {
        this.server.session = undefined;
        setContext("running", false);
        setCommandContexts(() => false);
      }
      onEnded();
    });
    return {
      start: async () => {
        await session.start();
        this.server.session = session;
      },
      stop: () => session.stop(),
    };
  }

  private onStarting(): void {
    this.bar.show({ kind: "starting", message: "Sirdab is starting." });
  }

  private onRunning(): void {
    setContext("running", true);
    this.walkthrough.reached("stepServer");
    setCommandContexts((command) => this.server.offers(command));
    this.switches.forgetFiles();
    this.numbers.begin();
    if (this.server.command?.origin === "private copy") {
      this.inBackground(this.updateCopy());
    }
  }

  /** Bring the private copy to this extension's version, once for each version. */
  private async updateCopy(): Promise<void> {
    const wheel = await newerWheel(this.context.extensionPath, this.copy);
    if (wheel !== undefined && this.context.globalState.get(UPDATED_TO) !== wheel) {
      await this.context.globalState.update(UPDATED_TO, wheel);
      await this.install({ isAsked: false });
    }
  }

  private inBackground(work: Promise<unknown>): void {
    work.catch((error) => this.log.error(String(error)));
  }

  private onSlow(elapsedMs: number): void {
    const message = `Sirdab's server has not answered for ${elapsedMs / 1000} seconds; see the log for the reason, or run "Sirdab: Restart".`;
    this.log.warn(message);
    this.bar.show({ kind: "slow", message });
    void this.notices.slow(message);
  }

  private onWaiting(delayMs: number): void {
    this.log.warn(`The server has ended; it is started again in ${delayMs} ms.`);
    this.bar.show({ kind: "starting", message: "Sirdab has ended and is starting again." });
  }

  private onGaveUp(failures: number): void {
    const message = `Sirdab's server has failed ${failures} times in a row; see the log for the reason, then run "Sirdab: Restart".`;
    this.log.error(message);
    this.bar.show({ kind: "failed", message });
    void this.notices.failure(message);
  }

  private onSettingsChanged(event: vscode.ConfigurationChangeEvent): void {
    if (!event.affectsConfiguration(SECTION)) {
      return;
    }
    if (event.affectsConfiguration("sirdab.path") || this.settingsReader.needsRestart()) {
      void this.restart();
    }
  }

  /** Look again when another interpreter is selected, where the interpreters were looked at. */
  private watchPython(): void {
    if (this.isWatchingPython || !this.dependsOnPython()) {
      return;
    }
    this.isWatchingPython = true;
    const onChange = () => {
      if (this.dependsOnPython()) {
        void this.restart();
      }
    };
    void onSelectedPythonChanged(onChange).then((listener) => {
      if (listener === undefined) {
        // The workspace may be trusted later.
        this.isWatchingPython = false;
      } else {
        this.context.subscriptions.push(listener);
      }
    });
  }

  private dependsOnPython(): boolean {
    const { discovery } = this;
    return (
      discovery?.kind === "absent" ||
      (discovery?.kind === "found" && discovery.command.origin === "python")
    );
  }

  /** Install the server because the user has asked for it, unless that would be of no use. */
  private async installOnRequest(): Promise<void> {
    const { discovery } = this;
    if (discovery?.kind === "wrong path") {
      await this.notices.wrongPath(discovery.message);
    } else if (discovery?.kind === "found" && GOES_FIRST.has(discovery.command.origin)) {
      void vscode.window.showInformationMessage(
        `Sirdab's server is on this machine already: ${discovery.command.program}`,
      );
    } else {
      await this.install();
    }
  }

  /** Install the server; one installation at a time. */
  private install({ isAsked = true } = {}): Promise<void> {
    this.installation ??= this.installNow(isAsked).finally(() => {
      this.installation = undefined;
    });
    return this.installation;
  }

  private async installNow(isAsked: boolean): Promise<void> {
    const before = this.bar.current;
    const installed = await installServer(
      this.context.extensionPath,
      this.copy,
      surroundings(this.copy),
      this.log,
      (message) => {
        // A server that runs meanwhile has more to say.
        if (this.server.session === undefined) {
          this.bar.show({ kind: "installing", message });
        }
      },
      isAsked,
    );
    if (installed) {
      await this.restart();
    } else if (this.bar.current.kind === "installing") {
      this.bar.show(before);
    }
  }

  // --- the user ---------------------------------------------------------------------------

  private commands(): vscode.Disposable {
    const { models, proposals, refactoring, review, switches } = this;
    return registerCommands(
      {
        "sirdab.menu": () => showMenu(this.bar.current, this.server, switches),
        "sirdab.installServer": () => this.installOnRequest(),
        "sirdab.restartServer": () => this.restart(),
        "sirdab.showLog": () => this.log.show(),
        "sirdab.showTrace": () => {
          this.trace.turnOn();
          this.trace.show();
        },
        "sirdab.toggleGhostText": () => switches.toggleEverywhere(),
        "sirdab.toggleLanguage": () => switches.toggleLanguage(),
        "sirdab.toggleFile": () => switches.toggleFile(),
        "sirdab.snoozeGhostText": () => switches.snooze(),
        "sirdab.chooseModel": () => models.choose(),
        "sirdab.pullModel": () => models.pull(),
        "sirdab.doctor": () => this.doctor(),
        "sirdab.explainHere": () => this.explainer.explainHere(),
        "sirdab.openSettings": () =>
          vscode.commands.executeCommand("workbench.action.openSettings", "@ext:sirdab.sirdab"),
        "sirdab.openSample": () => openSample(),
        "sirdab.reviewFile": () => review.reviewFile(),
        "sirdab.reviewSelection": () => review.reviewSelection(),
        "sirdab.reviewFolders": () => review.reviewFolders(),
        "sirdab.restoreFindings": () => review.restoreFile(),
        "sirdab.restoreAllFindings": () => review.restoreEverywhere(),
        [INSTRUCT]: (target?: unknown) => review.instruct(target),
        [SHOW_EXPLANATION]: (target?: unknown) => refactoring.explain(target),
        "sirdab.documentCode": () => refactoring.refactor("document"),
        "sirdab.addTypes": () => refactoring.refactor("types"),
        "sirdab.simplifyCode": () => refactoring.refactor("simplify"),
        "sirdab.makeFaster": () => refactoring.refactor("faster"),
        "sirdab.handleErrors": () => refactoring.refactor("errors"),
        "sirdab.extractFunction": () => refactoring.refactor("extract"),
        "sirdab.writeTests": () => refactoring.refactor("tests"),
        "sirdab.applyProposal": () => proposals.apply(),
        "sirdab.discardProposal": () => proposals.discard(),
      },
      this.log,
    );
  }

  private async doctor(): Promise<void> {
    const { command } = this.server;
    if (command === undefined) {
      this.log.show();
      return;
    }
    // What is set in this editor is what is to be examined; the rest is in the user's file.
    const { url, model } = this.settingsReader.endpoint();
    const options = [...(url ? ["--url", url] : []), ...(model ? ["--model", model] : [])];
    if (vscode.workspace.isTrusted) {
      await runVisibly(command, "Doctor", "doctor", ...options);
    } else if ((await runQuietly(command, this.log, "Doctor", "doctor", ...options)) !== null) {
      this.log.show();
    }
  }
}
