import { answerItems } from './answer-items.js';

it('a question that is left without an answer is a defect, by name', async () => {
  const answering = answerItems([{ id: 'a' }, { id: 'b' }], {}, (_pending, done) => {
    done({ id: 'a', prediction: 'x', score: 1 });
    return Promise.resolve();
  });
  await expect(answering).rejects.toThrow('expected an answer to b, received none');
});
