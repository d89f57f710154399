/** How the hub is reached. */
export interface HubAccess {
  /** Base address, without a slash at the end. */
  endpoint: string;
  token: string | undefined;
  /** Whether the network must not be used. */
  isOffline: boolean;
}

const DEFAULT_ENDPOINT = 'https://huggingface.co';

/** Reads HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE, as Hugging Face's own libraries do. */
export function hubAccess({ HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE }: NodeJS.ProcessEnv = process.env): HubAccess {
  return {
    endpoint: (HF_ENDPOINT || DEFAULT_ENDPOINT).replace(/\/$/, ''),
    token: HF_TOKEN?.trim() || undefined,
    isOffline: HF_HUB_OFFLINE !== undefined && /^(1|true|yes|on)$/i.test(HF_HUB_OFFLINE),
  };
}
