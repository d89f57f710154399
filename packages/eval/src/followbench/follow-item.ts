import type { Place } from '@lethe/data-pipeline';

/** FollowBench's kinds of constraints; a file each. */
export const FOLLOW_CATEGORIES = ['content', 'situation', 'style', 'format', 'mixed', 'example'] as const;
export type FollowCategory = (typeof FOLLOW_CATEGORIES)[number];

/** Its editions. */
export const FOLLOW_LANGUAGES = ['en', 'zh'] as const;
export type FollowLanguage = (typeof FOLLOW_LANGUAGES)[number];

/** The levels that are scored; level n adds n constraints to the instruction of level 0. */
export const FOLLOW_LEVELS = [1, 2, 3, 4, 5] as const;

/** An instruction with `level` constraints. */
export interface FollowItem {
  /** `content/14/3`: category, group, level. */
  id: string;
  /** Of its file: in the mixed one, rows name the constraints that they mix. */
  category: FollowCategory;
  /** The rows of one `example_id` of one file: `content/14`. */
  group: string;
  exampleId: number;
  source: string;
  level: number;
  instruction: string;
  /** What some rules compare answers with; empty where there is nothing. */
  target: string;
  /** The instructions of levels 0 to `level`; without level 0 in the category `example`. */
  path: string[];
  place: Place;
}
