import { RuinedError, Soundness } from './soundness.js';

const sums = (replay: number, replayTargets: number) => ({
  forgetting: 0,
  replay,
  mitigation: 0,
  forgetTargets: 0,
  replayTargets,
  forgetP: 0,
  push: 0,
  forgetSequences: 0,
  heldTargets: 0,
});

describe('weights', () => {
  it('are ruined where the replay loss is far beyond chance and twice what it was', () => {
    const soundness = new Soundness(100); // Chance: 4.6.
    soundness.check(1, sums(30, 10));
    soundness.check(2, sums(450, 10));
    expect(() => soundness.check(3, sums(470, 10))).toThrow(RuinedError);
    expect(() => soundness.check(3, sums(470, 10))).toThrow(/step 3: the replay loss is 47.00, where chance is 4.61/);
  });

  it('are not judged by a step without targets, nor by what they were from the start', () => {
    const soundness = new Soundness(100);
    soundness.check(1, sums(0, 0));
    soundness.check(2, sums(600, 10));
    soundness.check(3, sums(1100, 10));
    expect(() => soundness.check(4, sums(1300, 10))).toThrow('the first step had 60.00');
  });
});
