import type { Language } from './i18n';

export interface Sample {
  readonly texts: readonly string[];
  readonly query: string;
}

/** Whether nobody would miss the text: nothing, or a sample as it was. */
export function isReplaceable(text: string): boolean {
  return text.trim() === '' || Object.values(samples).some(({ texts }) => text === texts.join('\n'));
}

/** Three subjects with three lines each and one that stands alone: a picture with something to see. */
export const samples: Readonly<Record<Language, Sample>> = {
  en: {
    query: 'How do I get my money back?',
    texts: [
      'You can return any item within 30 days for a full refund.',
      'Refunds reach your card three to five working days after we receive the parcel.',
      'To send something back, print the label from your order page.',
      'The battery lasts about ten hours on a single charge.',
      'Charge the headphones with the cable that came in the box.',
      'If the headphones do not turn on, hold the button for ten seconds.',
      'Orders are shipped every weekday before noon.',
      'Delivery inside the city takes one day, elsewhere up to four.',
      'The courier calls an hour before arriving.',
      'Our office cat is called Tensor.',
    ],
  },
  ru: {
    query: 'Как вернуть деньги за покупку?',
    texts: [
      'Любой товар можно вернуть в течение 30 дней и получить всю сумму обратно.',
      'Деньги приходят на карту через три–пять рабочих дней после получения посылки.',
      'Чтобы отправить товар назад, распечатайте наклейку со страницы заказа.',
      'Батареи хватает примерно на десять часов работы.',
      'Заряжайте наушники кабелем из комплекта.',
      'Если наушники не включаются, удерживайте кнопку десять секунд.',
      'Заказы отправляются по будням до полудня.',
      'Доставка по городу занимает один день, в другие места — до четырёх.',
      'Курьер звонит за час до приезда.',
      'Нашего офисного кота зовут Тензор.',
    ],
  },
};
