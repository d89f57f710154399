import { chosenOf, finalistsOf, goalOf, isAnyEnough, mayGoOn, pick, triedOf } from './choose.js';
import { PAPER } from './repair-recipe.js';
import type { Tried } from './results.js';

const point = (step: number, forgetP: number, replay: number, keptP = 0.6) => ({ step, forgetP, replay, keptP });
const control = { points: [point(0, 0.8, 4), point(4, 0.7, 3.9), point(8, 0.6, 3.8)], gradients: {} };

const of = (points: ReturnType<typeof point>[], rest: Partial<Tried> = {}): Tried => ({
  ...triedOf(PAPER, { points, gradients: { forgetting: 1, replay: 3 } }, { control, goal: 0.1 }),
  ...rest,
});

describe('a setting that was tried', () => {
  it('ends at the cheapest step that reaches the goal, beside the control after as many steps', () => {
    const tried = of([point(0, 0.8, 4), point(4, 0.05, 3.95), point(8, 0.04, 3.8)]);
    expect(tried).toMatchObject({ steps: 8, patternP: { start: 0.8, end: 0.04, control: 0.6 }, price: 1 });
    expect(tried.reachedGoal).toBe(true);
    expect(tried.gradientShares).toEqual({ forgetting: 0.25, replay: 0.75 });
    expect(tried.path.map(({ price }) => price)).toEqual([Math.exp(0.05), 1].map((x) => expect.closeTo(x, 6)));
  });

  it('ends at the sooner one where a later is not cheaper by what decides', () => {
    expect(of([point(0, 0.8, 4), point(4, 0.05, 3.9005), point(8, 0.01, 3.8)]).steps).toBe(4);
  });

  it('does not end where more than an eighth of what the text says is lost, but as near the goal as it may', () => {
    const tried = of([point(0, 0.8, 4), point(4, 0.15, 3.9, 0.55), point(8, 0.01, 3.8, 0.5)]);
    expect(tried).toMatchObject({ steps: 4, reachedGoal: false, kept: expect.closeTo(0.55 / 0.6, 6) as number });
    expect(mayGoOn(tried)).toBe(false);
  });

  it('says that all is kept where the text says next to nothing', () => {
    const points = [point(0, 0.8, 4), point(4, 0.05, 3.9)].map((one) => ({ ...one, keptP: undefined }));
    expect(triedOf(PAPER, { points, gradients: {} }, { control, goal: 0.1 })).toMatchObject({ kept: 1, steps: 4 });
  });

  it('may go on where it fell short by its steps alone', () => {
    expect(mayGoOn(of([point(0, 0.8, 4), point(4, 0.3, 3.9), point(8, 0.2, 3.8)]))).toBe(true);
    expect(mayGoOn(of([point(0, 0.8, 4), point(4, 0.3, 3.9), point(8, 0.05, 3.8)]))).toBe(false);
    expect(mayGoOn(of([point(0, 0.8, 4), point(4, 0.3, 4.9), point(8, 0.2, 4.8)]))).toBe(false);
  });

  it('may not go on where more than half of the price is spent: no control would run beside it', () => {
    expect(mayGoOn(of([point(0, 0.8, 4), point(4, 0.3, 3.9), point(8, 0.2, 3.808)]))).toBe(true);
    expect(mayGoOn(of([point(0, 0.8, 4), point(4, 0.3, 3.9), point(8, 0.2, 3.812)]))).toBe(false);
  });

  it('ends at its last step where it does not reach the goal', () => {
    expect(of([point(0, 0.8, 4), point(4, 0.3, 3.9), point(8, 0.2, 3.8)])).toMatchObject({
      steps: 8,
      reachedGoal: false,
    });
  });
});

describe('pick', () => {
  const good = of([point(0, 0.8, 4), point(4, 0.05, 3.905)], { name: 'good', span: 'template' });

  it.each([
    [
      'the cheapest of those that reach the goal',
      [of([point(0, 0.8, 4), point(4, 0.01, 3.909)], { name: 'dear', span: 'template' }), good],
    ],
    [
      'one that keeps what the text says before one that is better for natural text',
      [of([point(0, 0.8, 4), point(4, 0.01, 3.9, 0.555)], { name: 'forgetful', span: 'template' }), good],
    ],
    [
      'one that falls short before one that loses what the text says',
      [
        of([point(0, 0.8, 4), point(4, 0.01, 3.9, 0.3)], { name: 'ignorant', span: 'template' }),
        of([point(0, 0.8, 4), point(4, 0.2, 3.9)], { name: 'good' }),
      ],
    ],
    [
      'the pattern only before all tokens, though these are cheaper',
      [of([point(0, 0.8, 4), point(4, 0.05, 3.9)], { name: 'all', span: 'all' }), good],
    ],
    [
      'none that costs too much',
      [of([point(0, 0.8, 4), point(4, 0.001, 3.95)], { name: 'ruin', span: 'template' }), good],
    ],
    [
      'one that reaches the goal before one that does not',
      [of([point(0, 0.8, 4), point(4, 0.3, 3.8)], { name: 'short' }), good],
    ],
  ])('takes %s', (_case, tried) => expect(pick(tried).chosen).toBe('good'));

  it('takes the cheaper one of two that fall short by nearly as much', () => {
    const [cheap, dear] = [3.8, 3.812].map((loss, i) =>
      of([point(0, 0.8, 4), point(4, 0.3, 3.9), point(8, i === 0 ? 0.2 : 0.19, loss)], {
        name: String(loss),
        span: 'template',
      }),
    );
    expect(pick([dear, cheap]).chosen).toBe('3.8');
    const far = of([point(0, 0.8, 4), point(4, 0.3, 3.9), point(8, 0.12, 3.812)], { name: 'far', span: 'template' });
    expect(pick([far, cheap]).chosen).toBe('far');
  });

  it('takes one that does little before one that does nothing, and is cheaper', () => {
    const little = of([point(0, 0.8, 4), point(4, 0.58, 3.905)], { name: 'little' });
    const nothing = of([point(0, 0.8, 4), point(4, 0.7, 3.9)], { name: 'nothing' });
    expect(pick([nothing, little]).chosen).toBe('little');
    const less = of([point(0, 0.8, 4), point(4, 0.72, 3.9)], { name: 'less' }); // Less than replay alone does.
    expect(pick([less]).chosen).toBe('less');
  });

  it('says where none reaches the goal, and where the best does next to nothing', () => {
    const half = of([point(0, 0.8, 4), point(4, 0.3, 3.9)], { name: 'half' });
    const nothing = of([point(0, 0.8, 4), point(4, 0.69, 3.9)], { name: 'nothing' });
    expect(pick([nothing, half])).toMatchObject({
      chosen: 'half',
      why: expect.stringContaining('no setting reached') as string,
    });
    expect(pick([nothing]).why).toContain('next to nothing');
  });
});

describe('a choice', () => {
  const trial = (name: string, points: ReturnType<typeof point>[]) => ({
    candidate: { ...PAPER, name },
    record: { points, gradients: {} },
    control,
  });
  const dear = trial('dear', [point(0, 0.8, 4), point(4, 0.05, 3.915)]);

  it('leaves room below the price that the verdict allows where that is enough', () => {
    const enough = trial('enough', [point(0, 0.8, 4), point(4, 0.2, 3.905)]);
    expect(chosenOf([dear, enough], 0.1).chosen).toBe('enough');
  });

  it('pays more where it is not', () => {
    const little = trial('little', [point(0, 0.8, 4), point(4, 0.5, 3.9)]);
    const { chosen, tried } = chosenOf([dear, little], 0.1);
    expect(chosen).toBe('dear');
    expect(tried.map(({ name, onFront }) => [name, onFront])).toEqual([
      ['dear', true],
      ['little', true],
    ]);
  });

  it('asks settings that do enough within the price, each at the lower one where that is enough, and the chosen one', () => {
    const enough = trial('enough', [point(0, 0.8, 4), point(4, 0.2, 3.905)]);
    const later = trial('later', [point(0, 0.8, 4), point(4, 0.19, 3.908), point(8, 0.05, 3.815)]);
    const ruinous = trial('ruinous', [point(0, 0.8, 4), point(4, 0.01, 3.99)]);
    const little = trial('little', [point(0, 0.8, 4), point(4, 0.6, 3.912)]);
    const all = [ruinous, dear, little, enough, later];
    const choice = { goal: 0.1, failed: [], ...chosenOf(all, 0.1) };
    expect(choice).toMatchObject({ chosen: 'enough', asked: null });
    const asked = finalistsOf(choice, 5);
    expect(asked.map(({ name, steps }) => [name, steps])).toEqual([
      ['dear', 4],
      ['enough', 4],
      ['later', 4],
    ]);
    expect(finalistsOf(choice, 2).map(({ name }) => name)).toEqual(['dear', 'enough']);
    expect(finalistsOf({ ...choice, chosen: 'later' }, 1).map(({ name }) => name)).toEqual(['later']);
    expect([isAnyEnough(all, 0.1), isAnyEnough([ruinous, little], 0.1)]).toEqual([true, false]);
  });
});

it('the goal is an eighth of the start, or the base within bounds', () => {
  expect(goalOf(0.8)).toBeCloseTo(0.1);
  expect(goalOf(0.8, 0.1)).toBeCloseTo(0.1);
  expect(goalOf(0.8, 0.5)).toBeCloseTo(0.16);
  expect(goalOf(0.8, 0.001)).toBeCloseTo(0.8 / 12);
});
