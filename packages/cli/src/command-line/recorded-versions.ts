import { VERSION } from '@lethe/run';
import * as tf from '@tensorflow/tfjs-core';

/** Versions that a run's manifest records. */
export const recordedVersions = (): Record<string, string> => ({ lethe: VERSION, tfjs: tf.version_core });
