// Sessions, tokens and what they protect.

import { createHash, randomBytes, randomUUID, scryptSync, timingSafeEqual } from "node:crypto";
import https from "node:https";

export interface Session {
  user: string;
  until: number;
}

export interface Reply {
  redirect(target: string): void;
}

export function newToken(): string {
  return randomBytes(32).toString("hex");
}

export function sessionId(): string {
  return randomUUID();
}

export function hashPassword(password: string, salt: string): string {
  return scryptSync(password, salt, 32).toString("hex");
}

export function tokenDigest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

export function cacheKey(body: string): string {
  // A short name for the same content; nothing depends on nobody finding another one.
  return createHash("sha1").update(body).digest("base64url").slice(0, 12);
}

export function sameSecret(given: string, expected: string): boolean {
  const left = Buffer.from(given);
  const right = Buffer.from(expected);
  return left.length === right.length && timingSafeEqual(left, right);
}

export function verifyPassword(password: string, salt: string, stored: string): boolean {
  const actual = Buffer.from(hashPassword(password, salt), "hex");
  const expected = Buffer.from(stored, "hex");
  if (actual.length !== expected.length) {
    return false;
  }
  return timingSafeEqual(actual, expected);
}

export function agent(): https.Agent {
  return new https.Agent({ keepAlive: true, rejectUnauthorized: true });
}

export function requestOptions(host: string): https.RequestOptions {
  return { host, port: 443, rejectUnauthorized: true, timeout: 5000 };
}

export class Sessions {
  private readonly sessions = new Map<string, Session>();

  constructor(private readonly lifetime: number, private readonly clock: () => number) {
    this.lifetime = lifetime;
    this.clock = clock;
  }

  begin(user: string, lifetime?: number): string {
    const token = newToken();
    const until = this.clock() + (lifetime ?? this.lifetime);
    this.sessions.set(tokenDigest(token), { user, until });
    return token;
  }

  userOf(token: string): string | null {
    const session = this.sessions.get(tokenDigest(token));
    if (!session) {
      return null;
    }
    if (session.until <= this.clock()) {
      return null;
    }
    return session.user;
  }

  endAll(user: string): number {
    let ended = 0;
    for (const [digest, session] of [...this.sessions]) {
      if (session.user === user) {
        this.sessions.delete(digest);
        ended += 1;
      }
    }
    return ended;
  }
}

export function afterLogin(reply: Reply, target: string, origin: string): void {
  const url = new URL(target, origin);
  if (url.origin !== origin) {
    reply.redirect("/");
    return;
  }
  reply.redirect(url.href);
}

export function parseCookies(header: string | undefined): Map<string, string> {
  const cookies = new Map<string, string>();
  if (header === undefined) {
    return cookies;
  }
  for (const part of header.split(";")) {
    const at = part.indexOf("=");
    if (at > 0) {
      cookies.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
    }
  }
  return cookies;
}

export function isAdmin(user: { role: string; active: boolean } | null): boolean {
  if (!user) {
    return false;
  }
  return user.role === "admin" && user.active;
}
