import { seededRandom } from '@lethe/run';
import { bootstrapStatistics } from '../bootstrap-statistics.js';
import type { Score } from '../interval.js';

/** A rating of 1 to 10, of a turn of a question. */
export interface MtRating {
  question: string;
  category: string;
  turn: 1 | 2;
  rating: number;
}

/** Mean ratings, 1 to 10, each with its interval: bootstraps over questions, whose turns are drawn together. */
export interface MtScores {
  overall: Score;
  byTurn: { turn: 1 | 2; rating: Score }[];
  byCategory: { category: string; rating: Score }[];
}

/** Mean rating of what was rated: over both turns, by turn, by category. */
export function scoreMtBench(ratings: readonly MtRating[]): MtScores {
  const mean = (some: readonly MtRating[], name: string): Score => {
    const questions = new Map<string, number[]>();
    for (const { question, rating } of some) questions.set(question, [...(questions.get(question) ?? []), rating]);
    const statistics = ([drawn]: number[][][]): { mean: number } => {
      const values = drawn.flat();
      return { mean: values.reduce((sum, x) => sum + x, 0) / values.length };
    };
    const random = seededRandom(0, 'MT-Bench', name).next;
    const range = () => ({ least: 1, most: 10 });
    return { ...bootstrapStatistics([[...questions.values()]], statistics, { random, range }).mean, n: some.length };
  };
  const categories = [...new Set(ratings.map(({ category }) => category))];
  return {
    overall: mean(ratings, 'overall'),
    byTurn: ([1, 2] as const).map((turn) => ({
      turn,
      rating: mean(
        ratings.filter((one) => one.turn === turn),
        `turn ${turn}`,
      ),
    })),
    byCategory: categories.map((category) => ({
      category,
      rating: mean(
        ratings.filter((one) => one.category === category),
        category,
      ),
    })),
  };
}
