// Jest's global set-up: the programs that tests start are built once, before any of them.
import { build } from '../scripts/build.mjs';

export default build;
