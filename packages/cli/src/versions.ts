import * as tf from '@tensorflow/tfjs-core';
import { VERSION } from './version.js';

/** Versions that a run's manifest records. */
export const versions = (): Record<string, string> => ({ lethe: VERSION, tfjs: tf.version_core });
