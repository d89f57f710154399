/** Who speaks in a turn of a conversation. */
export type Role = 'system' | 'user' | 'assistant' | 'tool';

/** One message of a conversation. */
export interface Turn {
  role: Role;
  content: string;
  /** The role as the data spell it, where that is another word: `developer`, `model`. */
  spelledRole?: string;
  /** Further keys of the message, which a chat template may use: `reasoning_content`, `tool_calls`, `name`. */
  keys?: Readonly<Record<string, unknown>>;
  /** Whether the message is to be learnt. Default: what an assistant says is. */
  isTarget?: boolean;
}

/** A conversation, and what else a chat template is given. */
export interface Conversation {
  turns: Turn[];
  /** Descriptions of tools. */
  tools?: unknown[];
  documents?: unknown[];
  /** Variables of the template by name, such as `enable_thinking`. */
  variables?: Readonly<Record<string, unknown>>;
}

/** Whether a turn is to be learnt. */
export const isTargetTurn = ({ role, isTarget = true }: Turn): boolean => role === 'assistant' && isTarget;
