import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { UserError } from '@lethe/run';

/** How long a client may take to send its headers, and its whole request; and a connection be idle. Milliseconds. */
const TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 65_000 };

/** Connections at once; with more, new ones are closed. */
const MOST_CONNECTIONS = 1024;

/** What answers the requests, and can be told to come to an end. */
export interface Answerer {
  /** Set when the server is to stop: new requests are to be refused. */
  isClosing: boolean;
  /** Requests that are being answered. */
  readonly numActive: number;
  /** Answers one request. Never throws. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Ends every request that is being answered. */
  abortAll(): void;
}

/** A server that listens. */
export interface Listening {
  url: string;
  /** Refuses new requests, waits until running ones are answered or the deadline has passed, and ends the rest. */
  close(graceMilliseconds: number): Promise<void>;
}

/** Listens on an address; port 0 takes a free one. @throws UserError when the address cannot be had. */
export async function listen(answerer: Answerer, address: { host: string; port: number }): Promise<Listening> {
  const server = createServer(TIMEOUTS, (request, response) => void answerer.answer(request, response));
  server.maxConnections = MOST_CONNECTIONS;
  await started(server, address);
  const { address: host, port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: async (graceMilliseconds) => {
      // It goes on listening, to tell whoever asks that it stops.
      answerer.isClosing = true;
      const deadline = performance.now() + graceMilliseconds;
      while (answerer.numActive > 0 && performance.now() < deadline) await setTimeout(20);
      answerer.abortAll();
      // Aborted requests are answered in the turns that follow; connections that stay open have nothing to say.
      for (let turn = 0; turn < 50 && answerer.numActive > 0; turn++) await setTimeout(20);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function started(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reasons: Record<string, string> = {
        EADDRINUSE: 'another program listens there; choose another --port, or 0 for a free one',
        EACCES: 'this needs rights that you do not have; choose a --port above 1023',
        EADDRNOTAVAIL: 'this machine has no such address; choose another --host',
        ENOTFOUND: 'no such host; choose another --host',
      };
      const why = reasons[cause.code ?? ''] ?? cause.message;
      reject(new UserError(`cannot listen on ${host} port ${port}: ${why}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
}
