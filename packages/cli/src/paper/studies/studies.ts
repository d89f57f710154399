import { claims } from './claims-page.js';
import { copying } from './copying.js';
import { methods } from './methods.js';
import { protection } from './protection.js';
import { relapse } from './relapse.js';
import type { Study } from './study.js';
import { sums } from './sums.js';
import { surface } from './surface.js';

/** The studies by name; the first is what `lethe paper` does when it is told none. */
export const STUDIES = { claims, methods, protection, copying, relapse, surface, sums } satisfies Record<string, Study>;
export type StudyName = keyof typeof STUDIES;

export const studyNames = Object.keys(STUDIES) as StudyName[];
export const studyOf = (name: StudyName): Study => STUDIES[name];
