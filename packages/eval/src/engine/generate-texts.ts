import type { Tokenizer } from '@lethe/data-pipeline';
import { type Llama, sampleToken } from '@lethe/model';
import { type Random, seededRandom } from '@lethe/run';
import { cutAtStop, GeneratedText } from './generated-text.js';
import { commonPrefixLength, PrefixSlots } from './prefix-slots.js';

/** A prompt to continue. */
export interface TextRequest {
  prompt: number[];
  /** Names its random stream, so that its text does not depend on what else is generated. */
  stream: (string | number)[];
}

/** How texts are generated and when they end. */
export interface GenerationSettings {
  maxNewTokens: number;
  /** A text ends before the first of these that it would hold. */
  stopStrings: readonly string[];
  stopIds: readonly number[];
  /** 0 or absent: greedy. */
  temperature?: number;
  topP?: number;
  seed?: number;
}

/** A text, and whether it ended by itself or for want of room. */
export interface TextResult {
  text: string;
  isFinished: boolean;
}

/** A text that is being generated in a slot. */
class Writing {
  readonly made: number[] = [];
  unread: number[];
  private readonly text: GeneratedText;
  private readonly random: Random;
  private readonly room: number;

  constructor(
    tokenizer: Tokenizer,
    readonly index: number,
    { prompt, stream }: TextRequest,
    private readonly settings: GenerationSettings & { from: number; context: number },
  ) {
    this.unread = prompt.slice(settings.from);
    this.text = new GeneratedText(tokenizer, prompt);
    this.random = seededRandom(settings.seed ?? 0, 'evaluate', ...stream);
    this.room = Math.min(settings.maxNewTokens, settings.context - prompt.length);
  }

  /** Chooses the next token; returns the result where it is the last. */
  async take(logits: Float32Array): Promise<TextResult | undefined> {
    const { stopIds, stopStrings } = this.settings;
    const id = sampleToken(logits, this.settings, this.random);
    if (stopIds.includes(id)) return { text: await this.text.of(this.made), isFinished: true };
    this.made.push(id);
    this.unread = [id];
    const isLast = this.made.length >= this.room;
    if (stopStrings.length === 0 && !isLast) return undefined;
    const text = await this.text.of(this.made);
    const cut = cutAtStop(text, stopStrings);
    if (cut !== undefined) return { text: cut, isFinished: true };
    return isLast ? { text, isFinished: false } : undefined;
  }
}

/**
 * Continues prompts, several at a time; what all of them begin with is read once.
 * @param onText called once for each request as its text is finished, in any order.
 * @throws RangeError for a prompt that fills the model's context.
 */
export async function generateTexts(
  { model, tokenizer }: { model: Llama; tokenizer: Tokenizer },
  requests: readonly TextRequest[],
  settings: GenerationSettings,
  onText: (request: number, result: TextResult) => void,
): Promise<void> {
  if (requests.length === 0) return;
  const context = model.config.maxPositions;
  const prompts = requests.map(({ prompt }) => prompt);
  const [shortest, longest] = [Math.min, Math.max].map((f) => f(...prompts.map(({ length }) => length)));
  if (shortest === 0 || longest >= context)
    throw new RangeError(`generateTexts: expected prompts of 1 to ${context - 1} tokens, received ${longest}`);
  const from = commonPrefixLength(prompts, shortest - 1);
  const tailTokens = Math.min(longest + settings.maxNewTokens, context) - from;
  const slots = new PrefixSlots(model, prompts[0].slice(0, from), { tailTokens, wanted: requests.length });
  const writing = new Map<number, Writing>();
  let next = 0;
  try {
    for (;;) {
      for (let slot = 0; slot < slots.count && next < requests.length; slot++) {
        if (writing.has(slot)) continue;
        slots.rewind(slot);
        writing.set(slot, new Writing(tokenizer, next, requests[next++], { ...settings, from, context }));
      }
      if (writing.size === 0) return;
      await step(slots, writing, onText);
    }
  } finally {
    slots.dispose();
  }
}

/** One forward pass: each slot reads what is unread and takes a token. */
async function step(
  slots: PrefixSlots,
  writing: Map<number, Writing>,
  onText: (request: number, result: TextResult) => void,
): Promise<void> {
  const turns = [...writing];
  const parts = turns.map(([slot, { unread }]) => ({ slot, ids: unread }));
  let end = -1;
  const rows = parts.map(({ ids }) => (end += ids.length));
  const logits: Float32Array[] = [];
  slots.read(parts, rows, (_, values) => logits.push(values.slice()));
  for (const [i, [slot, one]] of turns.entries()) {
    const result = await one.take(logits[i]);
    if (!result) continue;
    writing.delete(slot);
    onText(one.index, result);
  }
}
