export type { EngineSettings } from './engine/engine-messages.js';
export type { Access } from './http/access.js';
export { serve, type ListenOptions, type ServeOptions, type Server } from './serve.js';
