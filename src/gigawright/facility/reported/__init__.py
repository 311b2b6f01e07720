"""What operators report as annual PUE and WUE, predicted from who, where and when."""
