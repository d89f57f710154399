/** One message of a conversation with a judge. */
export interface JudgeMessage {
  role: 'system' | 'user';
  content: string;
}

/** What a judge is asked, and how it may answer. */
export interface JudgeRequest {
  messages: JudgeMessage[];
  /** 0: greedy, as every protocol here asks for. */
  temperature: number;
  maxTokens: number;
}

/** Tokens that a request cost, as the endpoint counts them. */
export interface JudgeUsage {
  promptTokens: number;
  completionTokens: number;
}

/** What a judge wrote. */
export interface JudgeReply {
  text: string;
  usage?: JudgeUsage;
}

/** A model that judges answers. */
export interface Judge {
  /** The endpoint without what may be secret in it: no user, no query. */
  url: string;
  model: string;
  /** @throws JudgeError when no reply can be had. */
  ask(request: JudgeRequest): Promise<JudgeReply>;
}
