import { crc32c } from './crc32c.js';

/** A line of JSON read back: what it says, and the checksum that it ends with; undefined in files of before there were any. */
export interface SealedLine {
  json: string;
  seal: string | undefined;
}

const SEAL = /,"crc":"([0-9a-f]{8})"\}$/;

const sealOf = (json: string, before: string): string =>
  crc32c(Buffer.from(before + json))
    .toString(16)
    .padStart(8, '0');

/**
 * A JSON object as a line that ends with a checksum of itself and of the line before, so that a changed, missing or
 * exchanged line is found. @param before the seal of the line before; empty for the first.
 */
export function sealLine(json: string, before: string): { line: string; seal: string } {
  const seal = sealOf(json, before);
  return { line: `${json.slice(0, -1)},"crc":"${seal}"}`, seal };
}

/** Reads a line. @throws Error where its checksum, or that of a line before which had one, says that it was changed. */
export function openLine(line: string, before: string): SealedLine {
  const [whole, seal] = SEAL.exec(line) ?? [];
  if (whole === undefined) {
    if (before !== '') throw new Error('expected a checksum at its end, as the line before has');
    return { json: line, seal: undefined };
  }
  const json = `${line.slice(0, -whole.length)}}`;
  if (sealOf(json, before) !== seal)
    throw new Error('its checksum is another: this line or the one before was changed');
  return { json, seal };
}
