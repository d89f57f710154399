import { shortened } from '@lethe/run';

/** Characters of a message to a client: it may quote what the client sent. */
const MOST_MESSAGE = 500;

/** A request that is answered with an error, in OpenAI's shape. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly details: { type?: string; param?: string; code?: string; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** A request that cannot be meant: 400, with the parameter at fault. */
export const badRequest = (message: string, param?: string, code?: string): ApiError =>
  new ApiError(400, message, { ...(param === undefined ? {} : { param }), ...(code === undefined ? {} : { code }) });

const TYPES: Record<number, string> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
  500: 'server_error',
  503: 'server_error',
};

/** The body of an error's answer. */
export function errorBody({ status, message, details }: ApiError): { error: Record<string, string | null> } {
  const { type = TYPES[status] ?? 'invalid_request_error', param = null, code = null } = details;
  return {
    error: { message: shortened(message, MOST_MESSAGE), type, param: param && shortened(param, MOST_MESSAGE), code },
  };
}
