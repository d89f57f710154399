import { type Clock, systemClock } from './clock.js';
import { plainText } from './plain-text.js';

/** Levels from the quietest to the most talkative. */
export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;

/** How much a logger says: its own level and all quieter ones. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Writes messages for people. Everything goes to standard error: standard output belongs to results. Control characters in
 * messages, which may quote the text of others, are written as escapes.
 */
export interface Logger {
  error(message: string): void;
  warn(message: string): void;
  info(message: string): void;
  debug(message: string): void;
  /**
   * Shows where the work stands. On a terminal one line is redrawn; elsewhere plain lines appear, the first at once and
   * then at most one every {@link LoggerOptions.plainProgressSeconds}.
   */
  progress(line: string): void;
  /** Ends the progress line, leaving its last text on the screen. */
  endProgress(): void;
}

/** Where and how a logger writes. */
export interface LoggerOptions {
  level?: LogLevel;
  /** Default: standard error. */
  stream?: { write(text: string): unknown; isTTY?: boolean; columns?: number };
  clock?: Clock;
  /** Seconds between progress lines when the stream is not a terminal. Default 5. */
  plainProgressSeconds?: number;
}

const REDRAW_MILLISECONDS = 50;
const CLEAR_LINE = '\r\x1b[K';

/** Makes a {@link Logger}. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', stream = process.stderr, clock = systemClock, plainProgressSeconds = 5 } = options;
  const isTerminal = stream.isTTY === true;
  const interval = isTerminal ? REDRAW_MILLISECONDS : plainProgressSeconds * 1000;
  let current: string | undefined;
  let drawnLine: string | undefined;
  let drawnAt = -Infinity;

  const isShown = (messageLevel: LogLevel) => LOG_LEVELS.indexOf(messageLevel) <= LOG_LEVELS.indexOf(level);
  const draw = (given: string) => {
    const line = plainText(given);
    drawnLine = given;
    drawnAt = clock.elapsed();
    stream.write(isTerminal ? CLEAR_LINE + line.slice(0, (stream.columns ?? 80) - 1) : `${line}\n`);
  };
  const write = (messageLevel: LogLevel, given: string) => {
    if (!isShown(messageLevel)) return;
    const message = plainText(given);
    const prefix = messageLevel === 'info' ? '' : `${messageLevel}: `;
    if (isTerminal && current !== undefined) {
      stream.write(`${CLEAR_LINE}${prefix}${message}\n`);
      draw(current);
    } else {
      stream.write(`${prefix}${message}\n`);
    }
  };
  return {
    error: (message) => write('error', message),
    warn: (message) => write('warn', message),
    info: (message) => write('info', message),
    debug: (message) => write('debug', message),
    progress: (line) => {
      if (!isShown('info')) return;
      current = line;
      if (clock.elapsed() - drawnAt >= interval) draw(line);
    },
    endProgress: () => {
      if (current === undefined) return;
      if (drawnLine !== current) draw(current);
      if (isTerminal) stream.write('\n');
      current = undefined;
      drawnLine = undefined;
      drawnAt = -Infinity;
    },
  };
}

/** A logger that says nothing. */
export const silentLogger: Logger = createLogger({ level: 'silent' });
